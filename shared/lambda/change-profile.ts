import { randomUUID } from "node:crypto";
import type { Operation } from "../contract/operation.ts";
import type { User } from "../model/user.ts";
import { versionMustBe } from "../model/version.ts";
import { appendEvent } from "../table/events.ts";
import { claimSshUsername, releaseSshUsername } from "../table/ssh-usernames.ts";
import { noSuchUser, putUser } from "../table/users.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { commit } from "./commit.ts";
import { retryConflicts } from "./retry-conflicts.ts";

/** What of a profile is ours to change; `undefined` leaves it, an empty key takes it away. */
export type ProfileChange = {
  readonly SshUsername?: string | undefined;
  readonly SshPublicKey?: string | undefined;
  readonly AllowSelfManagement?: boolean | undefined;
};

/** Changes a user's profile, and the claim on the login name with it, in one transaction with its event. */
export function changeProfile(
  operation: Operation,
  call: Call,
  userArn: string,
  change: ProfileChange,
): Promise<void> {
  return retryConflicts(operation, call, () => changeOnce(call, userArn, change));
}

async function changeOnce(call: Call, userArn: string, change: ProfileChange): Promise<void> {
  const { table } = call.deployment;
  const user = call.snapshot.user(userArn);
  if (!user) throw noSuchUser(userArn);
  versionMustBe(`user ${userArn}`, user.Revision, call.ifVersion);
  const { SshUsername, SshPublicKey, AllowSelfManagement, ...rest } = user;
  const name = change.SshUsername ?? SshUsername;
  const key = change.SshPublicKey ?? SshPublicKey;
  const before = { SshUsername, SshPublicKey, AllowSelfManagement };
  const after = {
    ...(name === undefined ? {} : { SshUsername: name }),
    ...(key === undefined || key === "" ? {} : { SshPublicKey: key }),
    AllowSelfManagement: change.AllowSelfManagement ?? AllowSelfManagement,
  };
  const isSameName = name?.toLowerCase() === SshUsername?.toLowerCase();
  const changed: User = { ...rest, ...after, Revision: randomUUID() };
  const writes = [
    putUser(table, changed, user.Revision),
    ...(isSameName || name === undefined ? [] : [claimSshUsername(table, name, user)]),
    ...(isSameName || SshUsername === undefined ? [] : [releaseSshUsername(table, SshUsername)]),
    appendEvent(table, changeEvent(call, { IamUserArn: userArn, Before: before, After: after })),
  ];
  await commit(call, writes, {});
}
