import * as z from "zod";

/** Who signs in to the console, as API Gateway verified them: their ARN, and IAM's unique id (`AIDA...`, `AROA...:<session name>`). */
const Verified = z.object({ CallerArn: z.string(), UserId: z.string() });

/** What may be made a session, once. */
export const SignInToken = Verified.extend({
  /** Seconds since 1970, for the table to expire it by. */
  ExpiresAt: z.number(),
});
export type SignInToken = z.infer<typeof SignInToken>;

/** Somebody signed in to the console. */
export const ConsoleSession = SignInToken.extend({
  /** The profile they had when they signed in; none where there was none. The session is over when it is another. */
  ProfileId: z.string().optional(),
  /** ISO 8601. */
  SignedInAt: z.string(),
});
export type ConsoleSession = z.infer<typeof ConsoleSession>;
