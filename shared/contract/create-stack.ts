import * as z from "zod";
import { InstanceProfileArn, RoleArn } from "../model/role-arn.ts";
import { RoleGap } from "../model/role-gap.ts";
import { StackName, StackSettings } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

/** Creates a stack, in OpsWorks' shape. No level includes it: it takes a policy. */
export const CreateStack = operation({
  name: "CreateStack",
  path: "/CreateStack",
  reads: false,
  input: StackSettings.extend({
    Name: StackName,
    Region: z.string().max(32),
    ServiceRoleArn: RoleArn,
    DefaultInstanceProfileArn: InstanceProfileArn,
    ...Writing,
  }),
  output: z.object({ StackId: z.string(), RoleGaps: z.array(RoleGap).optional() }),
  needs: () => ({ action: "opsworks:CreateStack" }),
});
