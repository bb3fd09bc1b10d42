import { Fault } from "../model/fault.ts";
import { derivedSshUsernames } from "../model/ssh-username.ts";
import type { User } from "../model/user.ts";
import { getItems } from "./get-items.ts";
import { keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putNew, remove, type Write } from "./write.ts";

const TRIED_TOGETHER = 20;

/** Makes a login name one user's. One that was chosen for the user, not by anybody, gives way to another. */
export function claimSshUsername(table: Table, name: string, user: User, chosenFor = false): Write {
  const taken = () =>
    new Fault("ConflictException", `\`SshUsername\` ${name} is taken`, { transient: chosenFor });
  return putNew(
    table,
    keys.sshUsername(name),
    { IamUserArn: user.IamUserArn, ProfileId: user.ProfileId },
    taken,
  );
}

export function releaseSshUsername(table: Table, name: string): Write {
  return remove(table, keys.sshUsername(name));
}

/** A login name made from an IAM name that nobody has now; somebody may be faster in claiming it. */
export async function freeSshUsername(table: Table, iamName: string): Promise<string> {
  const names = derivedSshUsernames(iamName);
  for (;;) {
    const candidates = Array.from({ length: TRIED_TOGETHER }, () => names.next().value);
    const taken = await getItems(table, candidates.map(keys.sshUsername));
    const free = candidates.find((name) => taken.get(keys.sshUsername(name)) === undefined);
    if (free !== undefined) return free;
  }
}
