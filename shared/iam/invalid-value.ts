import type { ErrorCode } from "./finding.ts";

/** A text that is not what its place takes; `message` is a clause whose subject is the text. */
export class InvalidValue extends Error {
  override readonly name = "InvalidValue";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
