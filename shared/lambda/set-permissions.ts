import { touchGrants } from "../table/grants.ts";
import { noSuchStack, putStack } from "../table/stacks.ts";
import { ensureUnixId } from "../table/unix-ids.ts";
import type { Call } from "./call.ts";
import { changeLevels, type GroupEntry } from "./change-levels.ts";
import { changeEvent } from "./change-event.ts";
import { commit, DONE, type Done } from "./commit.ts";
import { changeOfUser, type UserEntry } from "./change-of-user.ts";
import { rightsMustStay } from "./rights-must-stay.ts";

/**
 * Sets what users and groups have on a stack, in one transaction with an event each: all of it, or nothing. What changes nothing
 * writes nothing.
 */
export async function setPermissions(
  call: Call,
  stackId: string,
  users: readonly UserEntry[],
  groups: readonly GroupEntry[],
): Promise<Done> {
  const { table } = call.deployment;
  const { stack } = call.snapshot;
  if (!stack) throw noSuchStack(stackId);
  const changes = users.flatMap((entry) => changeOfUser(call, stack, entry) ?? []);
  const levels = await changeLevels(call, stack, groups);
  if (changes.length === 0 && !levels) return commit(call, [], DONE);

  for (const { user, after } of changes) {
    const { IamUserArn } = user;
    const event = (UnixId: number) => changeEvent(call, { IamUserArn, After: { UnixId } });
    if (after.AllowSsh && user.UnixId === undefined) await ensureUnixId(table, IamUserArn, event);
  }
  const writes = [
    ...changes.map(({ still }) => still),
    ...rightsMustStay(call, stack, {
      grantsOf: changes.map(({ user }) => user.IamUserArn),
      stack: levels !== undefined,
    }),
    // Either way a copy that is being made of the stack sees that there was a change.
    levels ? putStack(table, levels.stack, stack.Revision) : touchGrants(table, stackId),
    ...changes.flatMap(({ writes }) => writes),
    ...(levels?.events ?? []),
  ];
  return commit(call, writes, DONE);
}
