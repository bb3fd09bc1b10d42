import * as z from "zod";
import { Level } from "../model/level.ts";
import { Permission } from "../model/grant.ts";
import { LevelOfOthers } from "./level-of-others.ts";
import { operation } from "./operation.ts";
import { SeveralPermissions } from "./set-permissions.ts";

/** What a user holds on the stack, and the level that counts where it is another's. */
const Holding = Permission.extend(LevelOfOthers);

/** What a change comes to for one user. */
const UserRow = z.object({
  IamUserArn: z.string(),
  Before: Holding,
  After: Holding,
  /** The actions on the stack that they may do afterwards and not before; left out where the caller may not ask what others may do. */
  Gains: z.array(z.string()).optional(),
  Loses: z.array(z.string()).optional(),
  /** Condition keys that their policies ask for and nobody can supply beforehand: in a request that has them it may be otherwise. */
  AbsentKeys: z.array(z.string()).optional(),
});

const GroupRow = z.object({
  GroupName: z.string(),
  Before: z.object({ Level }),
  After: z.object({ Level }),
});

/**
 * What SetPermissions with this very input would come to, or why it would be refused; nothing is changed. Of the members of a group, those
 * for whom it makes a difference have a row.
 */
export const PreviewPermissions = operation({
  name: "PreviewPermissions",
  path: "/PreviewPermissions",
  reads: true,
  input: SeveralPermissions,
  output: z.object({
    Permissions: z.array(UserRow),
    GroupPermissions: z.array(GroupRow).optional(),
    /** Members for whom it makes a difference, too, and who have no row. */
    MoreMembers: z.number().optional(),
    /** There are too many users to look for the members of a group among all of them. */
    Incomplete: z.boolean().optional(),
  }),
  needs: ({ StackId }) => ({ action: "opsworks:SetPermission", stackId: StackId }),
  about: ({ Permissions = [] }) => Permissions.map((entry) => entry.IamUserArn),
});
