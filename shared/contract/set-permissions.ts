import * as z from "zod";
import { GroupName } from "../model/group.ts";
import { Level } from "../model/level.ts";
import { IamUserArn } from "../model/principal.ts";
import { StackId } from "../model/stack.ts";
import { Version } from "../model/version.ts";
import { operation } from "./operation.ts";
import { Writing } from "./writing.ts";

export const MAX_USERS = 30;
const MAX_GROUPS = 30;
/** A user takes three items of the transaction, a group's event one; three of its hundred are for the stack, the caller's right and the token. */
const ITEMS = { user: 3, group: 1, most: 97 };

/** As SetPermission takes it of one user. */
const UserEntry = z.strictObject({
  IamUserArn,
  Level: Level.optional(),
  AllowSsh: z.boolean().optional(),
  AllowSudo: z.boolean().optional(),
  IfVersion: Version.optional(),
});

const GroupEntry = z.strictObject({ GroupName, Level, IfVersion: Version.optional() });

/** What several users and groups are to have on a stack. */
export const SeveralPermissions = z
  .strictObject({
    StackId,
    Permissions: z
      .array(UserEntry)
      .max(MAX_USERS, { error: `must name at most ${MAX_USERS} users` })
      .optional(),
    GroupPermissions: z
      .array(GroupEntry)
      .max(MAX_GROUPS, { error: `must name at most ${MAX_GROUPS} groups` })
      .optional(),
    ...Writing,
  })
  .superRefine(({ Permissions = [], GroupPermissions = [] }, context) => {
    const say = (path: (string | number)[], message: string) =>
      context.addIssue({ code: "custom", path, message, input: undefined });
    const count = Permissions.length * ITEMS.user + GroupPermissions.length * ITEMS.group;
    if (count === 0) say([], "`Permissions` or `GroupPermissions` must name somebody");
    if (count > ITEMS.most) {
      say([], `at most ${ITEMS.most} fit in at once, where a user counts for three and a group for one`);
    }
    for (const index of repeated(Permissions.map((entry) => entry.IamUserArn)))
      say(["Permissions", index, "IamUserArn"], "must not be named twice");
    for (const index of repeated(GroupPermissions.map((entry) => entry.GroupName.toLowerCase())))
      say(["GroupPermissions", index, "GroupName"], "must not be named twice");
  });

/** Sets what several users and groups have on a stack: all of it, or nothing. */
export const SetPermissions = operation({
  name: "SetPermissions",
  path: "/SetPermissions",
  reads: false,
  input: SeveralPermissions,
  output: z.object({}),
  needs: ({ StackId }) => ({ action: "opsworks:SetPermission", stackId: StackId }),
  about: ({ Permissions = [] }) => Permissions.map((entry) => entry.IamUserArn),
});

/** Where something stands that stands further in front, too. */
function repeated(names: readonly string[]): number[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [index] : []));
}
