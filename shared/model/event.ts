/** A change, as the audit trail keeps it: who did what to whom, when, from where, before and after. */
export type Event = {
  readonly EventId: string;
  /** ISO 8601, UTC, with milliseconds. */
  readonly Time: string;
  readonly Operation: string;
  /** The ARN of the caller as it was verified, or `operator` for a command run with the operator's own credentials. */
  readonly Caller: string;
  readonly SourceIp?: string;
  readonly UserAgent?: string;
  /** Why, as the caller said. */
  readonly Reason?: string;
  readonly StackId?: string;
  readonly IamUserArn?: string;
  readonly GroupName?: string;
  readonly Before?: unknown;
  readonly After?: unknown;
};
