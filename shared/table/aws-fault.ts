import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { Fault } from "../model/fault.ts";

const THROTTLED = new Set([
  "LimitExceededException",
  "ProvisionedThroughputExceeded",
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingError",
  "ThrottlingException",
  "TooManyRequestsException",
]);
const UNREACHABLE = new Set([
  "TimeoutError",
  "AbortError",
  "InternalServerError",
  "ServiceUnavailable",
  "ServiceUnavailableException",
  "RequestTimeout",
  "RequestTimeoutException",
]);
const UNREACHABLE_CODES = new Set([
  "EAI_AGAIN",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);
/** Of a write that is under way already. */
const IN_PROGRESS = "TransactionInProgressException";
const CONFLICTS = new Set([
  "TransactionConflict",
  "TransactionConflictException",
  "ReplicatedWriteConflictException",
]);

/** What an error of DynamoDB or of the way to it means to a caller; `undefined` for what is neither. */
export function faultOfAws(error: unknown): Fault | undefined {
  if (error instanceof Fault) return error;
  if (!(error instanceof Error)) return undefined;
  const names = namesOf(error);
  if (names.some((name) => CONFLICTS.has(name)) || error.name === IN_PROGRESS) {
    const message = "somebody else is changing the same thing, try again";
    return new Fault("ConflictException", message, { cause: error, transient: true });
  }
  if (names.some((name) => THROTTLED.has(name)) || statusOf(error) === 429) {
    return new Fault("ThrottlingException", "too many requests, try again in a moment", { cause: error });
  }
  if (isUnreachable(error)) {
    return new Fault("ServiceUnavailableException", "the table cannot be reached, try again", {
      cause: error,
    });
  }
  return undefined;
}

/** Whether a write that ended like this may have been done, or may be done yet. */
export function mayHaveBeenDone(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof Fault) return false;
  return error.name === IN_PROGRESS || isUnreachable(error);
}

/** An error has one; a transaction that was cancelled, the reasons of its items. */
function namesOf(error: Error): string[] {
  if (!(error instanceof TransactionCanceledException)) return [error.name];
  return (error.CancellationReasons ?? []).flatMap(({ Code = "None" }) => Code);
}

function isUnreachable(error: Error): boolean {
  const code = "code" in error ? String(error.code) : "";
  if (UNREACHABLE.has(error.name) || UNREACHABLE_CODES.has(code)) return true;
  // An answer that is not DynamoDB's, or is not whole, cannot be read by the SDK, which tells its status then.
  const status = statusOf(error);
  return status !== undefined && (status >= 500 || error instanceof SyntaxError);
}

function statusOf(error: Error): number | undefined {
  const metadata: unknown = "$metadata" in error ? error.$metadata : undefined;
  if (typeof metadata !== "object" || metadata === null || !("httpStatusCode" in metadata)) return undefined;
  return typeof metadata.httpStatusCode === "number" ? metadata.httpStatusCode : undefined;
}
