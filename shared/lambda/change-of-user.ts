import { namesOf } from "../access/who.ts";
import { Fault } from "../model/fault.ts";
import { changePermission, type Permission, type PermissionChange, versionOfGrant } from "../model/grant.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { versionMustBe } from "../model/version.ts";
import { appendEvent } from "../table/events.ts";
import { setGrant } from "../table/grants.ts";
import { noSuchUser, userMustBe } from "../table/users.ts";
import type { Write } from "../table/write.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { type Entry, faultIn, inEntry } from "./entry.ts";

/** What one user is to hold on a stack. Members left out stay; SSH/RDP off turns sudo/admin off. */
export type UserEntry = Entry &
  PermissionChange & { readonly IamUserArn: string; readonly IfVersion?: string | undefined };

type ChangeOfUser = {
  readonly user: User;
  readonly after: Permission;
  /** The user is to be still the same. */
  readonly still: Write;
  readonly writes: readonly Write[];
};

/**
 * What it takes to set a user's permission; `undefined` where it is so already.
 * @throws Fault that names the entry
 */
export function changeOfUser(call: Call, stack: Stack, entry: UserEntry): ChangeOfUser | undefined {
  const { table } = call.deployment;
  const { IamUserArn, IfVersion, at: _at, ...change } = entry;
  if (change.Level !== undefined && namesOf(call.caller.principal).includes(IamUserArn)) {
    const message = "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.";
    throw faultIn(entry, new Fault("ValidationException", message), "Level");
  }
  const user = call.snapshot.user(IamUserArn);
  if (!user) throw faultIn(entry, noSuchUser(IamUserArn), "IamUserArn");
  const current = call.snapshot.grant(IamUserArn);
  inEntry(entry, () =>
    versionMustBe(`the permission of ${IamUserArn}`, versionOfGrant(user, current), IfVersion),
  );
  const before = call.snapshot.permission(IamUserArn);
  const after = changePermission(before, change);
  if (after.AllowSudo && !after.AllowSsh) {
    const message = "`AllowSudo` takes `AllowSsh`: sudo/admin comes with SSH/RDP only";
    throw faultIn(entry, new Fault("ValidationException", message), "AllowSudo");
  }
  const grant = setGrant(table, user, stack.StackId, after, current);
  if (!grant) return undefined;
  const { StackId } = stack;
  const { ProfileId } = user;
  const event = changeEvent(call, { StackId, IamUserArn, ProfileId, Before: before, After: after });
  return {
    user,
    after,
    still: writeIn(entry, userMustBe(table, user)),
    writes: [writeIn(entry, grant), appendEvent(table, event)],
  };
}

/** The write, whose fault names the entry. */
function writeIn(entry: Entry, { item, otherwise }: Write): Write {
  return otherwise ? { item, otherwise: () => faultIn(entry, otherwise()) } : { item };
}
