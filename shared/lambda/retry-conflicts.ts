import type { Operation } from "../contract/operation.ts";
import { Fault } from "../model/fault.ts";
import { tryAgain } from "../table/budget.ts";
import { authorizeCall } from "./authorize.ts";
import type { Call } from "./call.ts";

const MAX_TRIES = 8;

/**
 * Tries a change again when somebody else was in the way, each time from reading on: what was read is old, and the caller's own
 * right may be gone.
 */
export function retryConflicts<T>(operation: Operation, call: Call, attempt: () => Promise<T>): Promise<T> {
  let isFirst = true;
  const readAndAttempt = async () => {
    if (!isFirst) await authorizeCall(operation, call);
    isFirst = false;
    return attempt();
  };
  const mayPass = (error: unknown) => error instanceof Fault && error.transient;
  return tryAgain(readAndAttempt, { most: MAX_TRIES, mayPass });
}
