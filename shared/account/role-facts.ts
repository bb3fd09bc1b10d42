import * as z from "zod";

/** What IAM says of a role, as far as its gaps are to be found. Documents are texts. */
export const RoleFacts = z.object({
  Arn: z.string(),
  /** Who may assume it. */
  Trust: z.string(),
  /** Inline and attached; one whose text is not known says why. */
  Policies: z.array(
    z.object({ Name: z.string(), Text: z.string().optional(), Unreadable: z.string().optional() }),
  ),
});
export type RoleFacts = z.infer<typeof RoleFacts>;

/** What an instance profile holds: at most one role. Source: IAM User Guide, "Using instance profiles". */
export type InstanceProfileFacts = { readonly Arn: string; readonly Role?: RoleFacts };
