import type { Context } from "aws-lambda";
import { within } from "../table/budget.ts";

/** What it takes to answer when the time for the work is over. */
const RESERVE_MS = 500;

/** Does what a function does in the time that Lambda still gives it, so that it is the function that says when there was not enough. */
export function inTime<T>(context: Pick<Context, "getRemainingTimeInMillis">, work: () => T): T {
  return within(context.getRemainingTimeInMillis() - RESERVE_MS, work);
}
