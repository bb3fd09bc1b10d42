import * as z from "zod";

/** A change, as the audit trail keeps it: who did what to whom, when, from where, why, before and after. */
export const Event = z.object({
  EventId: z.string(),
  /** ISO 8601, UTC, with milliseconds. */
  Time: z.string(),
  Operation: z.string(),
  /** The ARN of the caller as it was verified, `operator` for a command run with the operator's own credentials, or `schedule`. */
  Caller: z.string(),
  SourceIp: z.string().optional(),
  UserAgent: z.string().optional(),
  /** Why, as the caller said. */
  Reason: z.string().optional(),
  StackId: z.string().optional(),
  IamUserArn: z.string().optional(),
  /** Which of the users who had that name one after the other. */
  ProfileId: z.string().optional(),
  GroupName: z.string().optional(),
  Before: z.unknown().optional(),
  After: z.unknown().optional(),
});
export type Event = z.infer<typeof Event>;
