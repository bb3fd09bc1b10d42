import * as z from "zod";
import { InstanceProfileArn, RoleArn } from "../model/role-arn.ts";
import { RoleGap } from "../model/role-gap.ts";
import { StackId, StackName, StackSettings } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/** Changes a stack; what is left out stays as it is. The service role cannot be changed. */
export const UpdateStack = operation({
  name: "UpdateStack",
  path: "/UpdateStack",
  reads: false,
  input: StackSettings.omit({ VpcId: true }).extend({
    StackId,
    Name: StackName.optional(),
    ServiceRoleArn: RoleArn.optional(),
    DefaultInstanceProfileArn: InstanceProfileArn.optional(),
    ...Changing,
  }),
  output: z.object({ RoleGaps: z.array(RoleGap).optional(), NotKnown: z.array(z.string()).optional() }),
  needs: ({ StackId }) => ({ action: "opsworks:UpdateStack", stackId: StackId }),
});
