import * as z from "zod";

/** What a role or an instance profile of a stack may lack. */
const GAP_CODES = [
  "no-such-role",
  "no-such-instance-profile",
  "profile-without-role",
  "unreadable",
  "not-trusted",
  "trust-depends",
  "no-policy",
  "passed-to-service",
  "pass-role-on-no-role",
  "region-in-iam-arn",
] as const;

/**
 * Something that a role or an instance profile of a stack lacks, or that does not do what it looks like. For an `error` no stack is
 * made with it.
 */
export const RoleGap = z.object({
  severity: z.enum(["error", "warning"]),
  code: z.enum(GAP_CODES),
  /** The role or instance profile. */
  Arn: z.string(),
  /** The policy that is meant, by name; `trust policy`, where it is that. */
  policy: z.string().optional(),
  /** Where in the policy, as a JSON path. */
  path: z.string().optional(),
  message: z.string(),
  /** What would mend it: a whole document, or the statements to put in place of the one at `path`. */
  mend: z.unknown().optional(),
});
export type RoleGap = z.infer<typeof RoleGap>;
