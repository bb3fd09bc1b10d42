import * as z from "zod";
import { GroupName } from "../model/group.ts";
import { Level } from "../model/level.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { operation } from "./operation.ts";
import { Changing } from "./writing.ts";

/**
 * Sets a user's level, SSH/RDP and sudo/admin on a stack; what is left out stays as it is. Or, with `GroupName`, the level that the
 * members of an IAM group have there.
 */
export const SetPermission = operation({
  name: "SetPermission",
  path: "/SetPermission",
  reads: false,
  input: z
    .strictObject({
      StackId,
      IamUserArn: IamUserArn.optional(),
      GroupName: GroupName.optional(),
      Level: Level.optional(),
      AllowSsh: z.boolean().optional(),
      AllowSudo: z.boolean().optional(),
      ...Changing,
    })
    .superRefine(({ IamUserArn: user, GroupName: group, Level: level, AllowSsh, AllowSudo }, context) => {
      const say = (path: string, message: string) =>
        context.addIssue({ code: "custom", path: [path], message, input: undefined });
      if (user === undefined && group === undefined) {
        context.addIssue({
          code: "custom",
          message: "one of `IamUserArn` and `GroupName` is required",
          input: undefined,
        });
      }
      if (group === undefined) return;
      if (user !== undefined) say("GroupName", "must be left out with `IamUserArn`");
      if (level === undefined) say("Level", "is required with `GroupName`");
      if (AllowSsh !== undefined) say("AllowSsh", "must be left out with `GroupName`: it is given to users");
      if (AllowSudo !== undefined)
        say("AllowSudo", "must be left out with `GroupName`: it is given to users");
    }),
  output: z.object({}),
  needs: ({ StackId }) => ({ action: "opsworks:SetPermission", stackId: StackId }),
  about: ({ IamUserArn }) => (IamUserArn === undefined ? [] : [IamUserArn]),
});
