import * as z from "zod";

/**
 * A user's permission level on a stack, as the OpsWorks API spells it, from least to most.
 * Source: OpsWorks User Guide, "Granting AWS OpsWorks Stacks Users Per-Stack Permissions".
 */
export const Level = z.enum(["deny", "iam_only", "show", "deploy", "manage"], {
  error: "must be one of `deny`, `iam_only`, `show`, `deploy`, `manage`",
});
export type Level = z.infer<typeof Level>;
