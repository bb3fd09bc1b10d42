import { Fault } from "../model/fault.ts";

const THROTTLED = new Set([
  "ProvisionedThroughputExceededException",
  "RequestLimitExceeded",
  "ThrottlingException",
  "TooManyRequestsException",
]);
const UNREACHABLE = new Set([
  "TimeoutError",
  "AbortError",
  "InternalServerError",
  "ServiceUnavailable",
  "RequestTimeout",
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

/** What an error of DynamoDB or of the way to it means to a caller; `undefined` for what is neither. */
export function faultOfAws(error: unknown): Fault | undefined {
  if (!(error instanceof Error)) return undefined;
  if (THROTTLED.has(error.name)) {
    return new Fault("ThrottlingException", "too many requests, try again in a moment", { cause: error });
  }
  const code = "code" in error ? String(error.code) : "";
  if (UNREACHABLE.has(error.name) || UNREACHABLE_CODES.has(code)) {
    return new Fault("ServiceUnavailableException", "the table cannot be reached, try again", {
      cause: error,
    });
  }
  if (error.name === "TransactionInProgressException" || error.name === "TransactionConflictException") {
    return new Fault("ConflictException", "somebody else is changing the same thing, try again", {
      cause: error,
    });
  }
  return undefined;
}
