import * as z from "zod";
import { Level } from "../model/level.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { Time } from "../model/time.ts";
import { operation } from "./operation.ts";
import { Paging } from "./paging.ts";

/** Since when the level has been that (without a level: SSH/RDP and sudo/admin), who set it, and why. */
const Origin = { Since: z.string(), By: z.string(), Reason: z.string().optional() };

/**
 * Who held what at a time, on a stack or of a user, as the events tell it: only who held something. Of a stack that was deleted
 * since, too. Without a stack it takes a policy that allows it on every stack.
 */
export const DescribePermissionsAt = operation({
  name: "DescribePermissionsAt",
  path: "/DescribePermissionsAt",
  reads: true,
  input: z
    .strictObject({
      StackId: StackId.optional(),
      IamUserArn: IamUserArn.optional(),
      At: Time.optional(),
      ...Paging,
    })
    .refine((input) => (input.StackId === undefined) !== (input.IamUserArn === undefined), {
      error: "one of `StackId` and `IamUserArn` is required, and not both",
    }),
  output: z.object({
    At: z.string(),
    Permissions: z.array(
      z.object({
        StackId: z.string(),
        IamUserArn: z.string(),
        Level,
        AllowSsh: z.boolean(),
        AllowSudo: z.boolean(),
        ...Origin,
      }),
    ),
    GroupPermissions: z
      .array(z.object({ StackId: z.string(), GroupName: z.string(), Level, ...Origin }))
      .optional(),
    NextToken: z.string().optional(),
  }),
  needs: ({ StackId }) => ({
    action: "stackwarden:DescribePermissionsAt",
    ...(StackId === undefined ? {} : { stackId: StackId, mayBeGone: true }),
  }),
});
