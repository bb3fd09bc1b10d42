import { IamRoles } from "../shared/account/iam-roles.ts";
import { lookIntoRoles } from "../shared/account/look-into-roles.ts";
import { CheckStackRoles } from "../shared/contract/check-stack-roles.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchStack } from "../shared/table/stacks.ts";

/** The gaps of a stack's roles as they are now. */
export const handler = serve(CheckStackRoles, async (call) => {
  const { StackId } = call.input;
  const { stack } = call.snapshot;
  if (!stack) throw noSuchStack(StackId);
  const { ServiceRoleArn: serviceRoleArn, DefaultInstanceProfileArn } = stack;
  const { table, place } = call.deployment;
  const named = { serviceRoleArn, instanceProfileArns: [DefaultInstanceProfileArn] };
  const { gaps } = await lookIntoRoles(table, IamRoles.ofProcess(), named, { place, stackId: StackId });
  return { StackId, RoleGaps: [...gaps] };
});
