import * as z from "zod";
import { RoleGap } from "../model/role-gap.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";

/**
 * What the service role and the instance profiles of a stack and its layers lack, all at once, with what would mend it: not there, not
 * trusted, without a policy, or with a policy that does not do what it looks like.
 *
 * `NotKnown` are those about which neither IAM nor an import could be asked.
 *
 * Source: OpsWorks User Guide, "Specifying Permissions for Apps Running on EC2 instances".
 */
export const CheckStackRoles = operation({
  name: "CheckStackRoles",
  path: "/CheckStackRoles",
  reads: true,
  input: z.strictObject({ StackId }),
  output: z.object({
    StackId: z.string(),
    RoleGaps: z.array(RoleGap),
    NotKnown: z.array(z.string()).optional(),
  }),
  needs: ({ StackId }) => ({ action: "stackwarden:CheckStackRoles", stackId: StackId }),
});
