import * as z from "zod";
import type { Event } from "./event.ts";
import { isSamePermission, NO_GRANT, Permission } from "./grant.ts";

/** What set or ended a permission, and what made or ended a stack. */
export const PERMISSION_OPERATIONS = [
  "SetPermission",
  "SetPermissions",
  "CreateStack",
  "CloneStack",
  "DeleteStack",
];

/** What ended a profile, and with it all that was given to it. */
export const PROFILE_OPERATIONS = ["DeleteUserProfile", "ImportUsers"];

/** A permission as it was, and since when the level has been that, by whom and why. */
export type PermissionThen = Permission & {
  readonly Since: string;
  readonly By: string;
  readonly Reason?: string;
  /** When the last of its members was set. */
  readonly SetAt: string;
  /** Which of the users of that name it was given to. */
  readonly ProfileId?: string;
};

/** What was held on a stack, by users' ARNs and groups' names, as its events told it one after the other. */
export class StackThen {
  readonly users = new Map<string, PermissionThen>();
  readonly groups = new Map<string, PermissionThen>();
  /** Whether the stack was there; `undefined` when no event says. */
  isThere: boolean | undefined;

  /** The next event of the stack. */
  add(event: Event): void {
    const { Operation, IamUserArn, GroupName } = event;
    if (IamUserArn !== undefined) follow(this.users, IamUserArn, event);
    else if (GroupName !== undefined) follow(this.groups, GroupName, event);
    else if (Operation === "CreateStack" || Operation === "CloneStack") this.isThere = true;
    else if (Operation === "DeleteStack") this.isThere = false;
  }
}

/** Of a group, the level alone. */
const After = Permission.extend({
  AllowSsh: z.boolean().default(false),
  AllowSudo: z.boolean().default(false),
});

function follow(held: Map<string, PermissionThen>, name: string, event: Event): void {
  const { Time, Caller, Reason, ProfileId } = event;
  const after = After.parse(event.After);
  if (isSamePermission(after, NO_GRANT)) {
    held.delete(name);
    return;
  }
  const had = held.get(name);
  // Of the level or, where there is none, of SSH/RDP: what somebody asks who asks since when.
  const isOld = had && had.ProfileId === ProfileId && had.Level === after.Level && after.Level !== "iam_only";
  const since = isOld
    ? { Since: had.Since, By: had.By, ...(had.Reason === undefined ? {} : { Reason: had.Reason }) }
    : { Since: Time, By: Caller, ...(Reason === undefined ? {} : { Reason }) };
  held.set(name, { ...after, ...since, SetAt: Time, ...(ProfileId === undefined ? {} : { ProfileId }) });
}

const Profile = z.object({ ProfileId: z.string().optional() }).optional();

/** Whether an event of a user ended the profile that a permission was given to: deleted, or replaced by another. */
export function endsProfile(event: Event, { ProfileId, SetAt }: PermissionThen): boolean {
  const before = Profile.parse(event.Before)?.ProfileId;
  const after = Profile.parse(event.After)?.ProfileId;
  if (before === undefined || before === after) return false;
  return ProfileId === undefined ? event.Time >= SetAt : before === ProfileId;
}
