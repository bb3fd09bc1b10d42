import { setTimeout as sleep } from "node:timers/promises";
import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import { authorizeCall } from "./authorize.ts";
import type { Call } from "./call.ts";

const MAX_TRIES = 8;

/**
 * Tries a change again when somebody else was in the way, each time from reading on: what was read is old, and the caller's own
 * right may be gone.
 */
export async function retryConflicts<T>(
  operation: Operation,
  call: Call,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof Fault && error.transient) || tries === MAX_TRIES) throw error;
      await sleep(Math.random() * Math.min(20 * 2 ** tries, 320));
      await authorizeCall(operation, call);
    }
  }
}
