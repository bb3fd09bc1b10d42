import type { ErrorCode } from "./finding.ts";

/** Told of a fault in a document; it throws, or notes the fault and lets the reading go on. */
export type Report = (code: ErrorCode, path: string, fault: string) => void;

/**
 * A policy document, or a request put to one, that cannot be read.
 * `path` is a JSON path (`$.Statement[0].Effect`), `message` one sentence that starts with it.
 */
export class InvalidPolicy extends Error {
  override readonly name = "InvalidPolicy";
  readonly code: ErrorCode;
  readonly path: string;
  readonly fault: string;

  constructor(code: ErrorCode, path: string, fault: string) {
    super(`${path}: ${fault}`);
    this.code = code;
    this.path = path;
    this.fault = fault;
  }
}

/** Ends the reading at the first fault: nothing that has one is ever evaluated. @throws InvalidPolicy */
export const refuse: Report = (code, path, fault) => {
  throw new InvalidPolicy(code, path, fault);
};
