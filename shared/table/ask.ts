import { Fault } from "../model/fault.ts";
import { faultOfAws } from "./aws-fault.ts";
import { timeLeft, tryAgain } from "./budget.ts";
import type { Table } from "./table.ts";

/** How a request is to be sent: the document client's own options. */
type How = { readonly abortSignal: AbortSignal };

const MOST_TRIES = 3;

/**
 * Asks DynamoDB, and asks again what fails in passing. For what may be done twice; a transaction is sent by `transact`, which knows it
 * again.
 */
export function ask<T>(table: Table, send: (how: How) => Promise<T>): Promise<T> {
  const isInTheWay = (error: unknown) => !(error instanceof Fault) && faultOfAws(error)?.transient === true;
  return tryAgain(() => askOnce(table, send), {
    most: MOST_TRIES,
    mayPass: (error) => mayPass(error) || isInTheWay(error),
  });
}

/**
 * Gives a request up when it hangs, in its answer as well, or when the time that there is for all of them is over.
 * @throws Fault ServiceUnavailableException when it is over before
 */
export async function askOnce<T>(table: Table, send: (how: How) => Promise<T>): Promise<T> {
  const left = Math.min(table.timeoutMs, timeLeft());
  if (left <= 0) throw new Fault("ServiceUnavailableException", "there was not enough time, try again");
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(), left);
  try {
    return await send({ abortSignal: ending.signal });
  } finally {
    clearTimeout(timer);
  }
}

/** Whether the same may go through in a moment. */
export function mayPass(error: unknown): boolean {
  const fault = error instanceof Fault ? undefined : faultOfAws(error);
  return fault?.name === "ThrottlingException" || fault?.name === "ServiceUnavailableException";
}
