/** Every error an operation answers with, and its HTTP status. */
const STATUS = {
  ValidationException: 400,
  AccessDeniedException: 403,
  ResourceNotFoundException: 404,
  ConflictException: 409,
  ThrottlingException: 429,
  InternalFailure: 500,
  ServiceUnavailableException: 503,
} as const;

export type FaultCode = keyof typeof STATUS;

export function isFaultCode(name: string): name is FaultCode {
  return Object.hasOwn(STATUS, name);
}

/** An error of the closed set; its message is for the caller. */
export class Fault extends Error {
  override readonly name: FaultCode;
  readonly statusCode: number;
  /** Somebody else was in the way; the same again, from reading on, may well go through. */
  readonly transient: boolean;

  constructor(code: FaultCode, message: string, options?: ErrorOptions & { readonly transient?: boolean }) {
    super(message, options);
    this.name = code;
    this.statusCode = STATUS[code];
    this.transient = options?.transient ?? false;
  }
}
