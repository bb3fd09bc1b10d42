import { IamRoles } from "../shared/account/iam-roles.ts";
import { lookIntoRoles, RoleSource, rolesOfStack } from "../shared/account/look-into-roles.ts";
import { CheckStackRoles } from "../shared/contract/check-stack-roles.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchStack } from "../shared/table/stacks.ts";

/** The gaps of the roles of a stack and its layers as they are now. */
export const handler = serve(CheckStackRoles, async (call) => {
  const { StackId } = call.input;
  const { stack } = call.snapshot;
  if (!stack) throw noSuchStack(StackId);
  const { table, place } = call.deployment;
  const named = await rolesOfStack(table, stack);
  const looked = await lookIntoRoles(table, new RoleSource(IamRoles.ofProcess()), named, {
    place,
    stackId: StackId,
  });
  const { gaps, unknown } = looked;
  return { StackId, RoleGaps: [...gaps], ...(unknown.length === 0 ? {} : { NotKnown: [...unknown] }) };
});
