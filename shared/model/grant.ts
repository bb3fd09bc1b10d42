import * as z from "zod";
import { Level } from "./level.ts";
import { NO_VERSION } from "./version.ts";

/** What a user holds on a stack. */
export const Permission = z.object({ Level, AllowSsh: z.boolean(), AllowSudo: z.boolean() });
export type Permission = z.infer<typeof Permission>;

/** No grant stored: `iam_only`, no SSH/RDP, no sudo/admin. */
export const NO_GRANT: Permission = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

/** A permission as it is kept; it counts only for the profile it was given to. `Revision` is new with each write. */
export const Grant = Permission.extend({
  StackId: z.string(),
  IamUserArn: z.string(),
  ProfileId: z.string(),
  Revision: z.string(),
});
export type Grant = z.infer<typeof Grant>;

/** What counts now: nothing of a grant that was given to an earlier user of the same name. */
export function permissionOf(user: { ProfileId: string } | undefined, grant: Grant | undefined): Permission {
  if (!user || grant?.ProfileId !== user.ProfileId) return NO_GRANT;
  return { Level: grant.Level, AllowSsh: grant.AllowSsh, AllowSudo: grant.AllowSudo };
}

/** Of the grant that counts. */
export function versionOfGrant(user: { ProfileId: string } | undefined, grant: Grant | undefined): string {
  return user && grant?.ProfileId === user.ProfileId ? grant.Revision : NO_VERSION;
}

/** A change of a permission; what it leaves out stays. */
export type PermissionChange = { readonly [Member in keyof Permission]?: Permission[Member] | undefined };

/** The permission with a change applied. SSH/RDP off turns sudo/admin off. */
export function changePermission(permission: Permission, change: PermissionChange): Permission {
  const AllowSsh = change.AllowSsh ?? permission.AllowSsh;
  const AllowSudo = change.AllowSudo ?? (AllowSsh && permission.AllowSudo);
  return { Level: change.Level ?? permission.Level, AllowSsh, AllowSudo };
}

export function isSamePermission(a: Permission, b: Permission): boolean {
  return a.Level === b.Level && a.AllowSsh === b.AllowSsh && a.AllowSudo === b.AllowSudo;
}
