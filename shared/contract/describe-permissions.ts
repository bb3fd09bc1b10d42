import * as z from "zod";
import { Level } from "../model/level.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { LevelOfOthers } from "./level-of-others.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** One user's permission on one stack, as OpsWorks shows it. */
const PermissionRow = z.object({
  StackId: z.string(),
  IamUserArn: z.string(),
  AllowSsh: z.boolean(),
  AllowSudo: z.boolean(),
  /** The one that was set for the user. */
  Level,
  ...LevelOfOthers,
  /** `none`: no grant that counts is stored. */
  Version: z.string(),
});

/** The level of an IAM group on a stack. */
const GroupPermissionRow = z.object({
  StackId: z.string(),
  GroupName: z.string(),
  Level,
  Version: z.string(),
});

/**
 * The permissions on a stack (a row for each user), of a user (a row for each stack), or of one user on one stack. Without
 * a stack it takes a policy that allows it on every stack.
 */
export const DescribePermissions = operation({
  name: "DescribePermissions",
  path: "/DescribePermissions",
  reads: true,
  input: z
    .strictObject({ StackId: StackId.optional(), IamUserArn: IamUserArn.optional(), ...Paging })
    .refine((input) => input.StackId !== undefined || input.IamUserArn !== undefined, {
      error: "one of `StackId` and `IamUserArn` is required",
    }),
  output: z.object({
    Permissions: z.array(PermissionRow),
    GroupPermissions: z.array(GroupPermissionRow).optional(),
    NextToken: z.string().optional(),
  }),
  needs: ({ StackId }) => ({
    action: "opsworks:DescribePermissions",
    ...(StackId === undefined ? {} : { stackId: StackId }),
  }),
  about: ({ IamUserArn }) => (IamUserArn === undefined ? [] : [IamUserArn]),
});
