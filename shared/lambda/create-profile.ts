import { randomUUID } from "node:crypto";
import { readPrincipal } from "../model/principal.ts";
import type { User } from "../model/user.ts";
import { appendEvent } from "../table/events.ts";
import { claimSshUsername, freeSshUsername } from "../table/ssh-usernames.ts";
import { noSuchUser, putUser, readIamFacts } from "../table/users.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { commit } from "./commit.ts";
import type { ProfileChange } from "./change-profile.ts";

/** Makes a profile, with what IAM is known to say of its user, in one transaction with its event. It is to be new. */
export async function createProfile(call: Call, userArn: string, chosen: ProfileChange): Promise<User> {
  const { table } = call.deployment;
  const { SshUsername, SshPublicKey, AllowSelfManagement = false } = chosen;
  const principal = readPrincipal(userArn);
  if (!principal) throw noSuchUser(userArn);
  const name = SshUsername ?? (await freeSshUsername(table, principal.name));
  const { facts, mustStay } = await readIamFacts(table, userArn);
  const user: User = {
    IamUserArn: userArn,
    Name: principal.name,
    Kind: kindOf(principal.kind),
    ProfileId: randomUUID(),
    ...facts,
    SshUsername: name,
    ...(SshPublicKey === undefined ? {} : { SshPublicKey }),
    AllowSelfManagement,
    CreatedAt: call.now.toISOString(),
    Revision: randomUUID(),
  };
  const after = { ProfileId: user.ProfileId, SshUsername: name, SshPublicKey, AllowSelfManagement };
  const writes = [
    putUser(table, user, undefined),
    mustStay,
    claimSshUsername(table, name, user, SshUsername === undefined),
    appendEvent(table, changeEvent(call, { IamUserArn: userArn, After: after })),
  ];
  await commit(call, writes, { IamUserArn: userArn });
  return user;
}

function kindOf(kind: string): User["Kind"] {
  return kind === "role" || kind === "federated" || kind === "person" ? kind : "user";
}
