import * as z from "zod";
import { InstanceProfileArn, RoleArn } from "../model/role-arn.ts";
import { StackId, StackName, StackSettings } from "../model/stack.ts";
import { regionMustBe } from "../model/stack-arn.ts";
import { RoleGap } from "../model/role-gap.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

/**
 * Makes a stack like another, with its layers and tags, and with what everybody has on it if `ClonePermissions` says so. Members that
 * are given are the new stack's own. No level includes it: it takes a policy.
 */
export const CloneStack = operation({
  name: "CloneStack",
  path: "/CloneStack",
  reads: false,
  input: StackSettings.extend({
    SourceStackId: StackId,
    ServiceRoleArn: RoleArn,
    Name: StackName.optional(),
    Region: z.string().max(32).optional(),
    DefaultInstanceProfileArn: InstanceProfileArn.optional(),
    ClonePermissions: z.boolean().optional(),
    CloneAppIds: z.array(z.string()).max(0, { error: "must be empty: apps are not kept here" }).optional(),
    ...Writing,
  }),
  output: z.object({ StackId: z.string(), RoleGaps: z.array(RoleGap).optional() }),
  needs: ({ SourceStackId, Region }, place) => {
    if (Region !== undefined) regionMustBe(place, Region);
    return { action: "opsworks:CloneStack", stackId: SourceStackId };
  },
});
