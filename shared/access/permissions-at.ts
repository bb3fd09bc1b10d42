import type { Stack } from "../model/stack.ts";
import {
  endsProfile,
  PERMISSION_OPERATIONS,
  type PermissionThen,
  PROFILE_OPERATIONS,
  StackThen,
} from "../model/permission-history.ts";
import { eventsOf, sources } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { keys } from "../table/keys.ts";
import { readStack } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";

const ALWAYS = "0";
const TOGETHER = 20;

type UserThen = { readonly StackId: string; readonly IamUserArn: string; readonly held: PermissionThen };

/**
 * Who held what on a stack at a time, from its events and those of the users; `undefined` when it was not there then.
 * @param stack as it is now, if it still is
 */
export async function permissionsOfStackAt(
  table: Table,
  stackId: string,
  stack: Stack | undefined,
  at: string,
): Promise<{ users: UserThen[]; groups: [name: string, held: PermissionThen][] } | undefined> {
  const state = new StackThen();
  const span = { from: ALWAYS, to: at };
  for await (const event of eventsOf(table, sources.ofStack(stackId), span, PERMISSION_OPERATIONS))
    state.add(event);
  if (!(state.isThere ?? (stack !== undefined && stack.CreatedAt <= at))) return undefined;
  const users = [...state.users].map(([IamUserArn, held]) => ({ StackId: stackId, IamUserArn, held }));
  const groups = [...state.groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { users: sorted(await stillTheSame(table, users, at)), groups };
}

/** What a user held at a time, on every stack that was there then. */
export async function permissionsOfUserAt(table: Table, userArn: string, at: string): Promise<UserThen[]> {
  const states = new Map<string, StackThen>();
  const span = { from: ALWAYS, to: at };
  for await (const event of eventsOf(table, sources.aboutUser(userArn), span, PERMISSION_OPERATIONS)) {
    const { StackId = "" } = event;
    const state = states.get(StackId) ?? new StackThen();
    states.set(StackId, state);
    state.add(event);
  }
  const users = [...states].flatMap(([StackId, state]) => {
    const held = state.users.get(userArn);
    return held ? [{ StackId, IamUserArn: userArn, held }] : [];
  });
  const still = await stillTheSame(table, users, at);
  const there = await stacksThereAt(
    table,
    still.map(({ StackId }) => StackId),
    at,
  );
  return sorted(still.filter(({ StackId }) => there.has(StackId)));
}

/** Without what was given to users who were deleted or replaced by then. */
async function stillTheSame(table: Table, users: readonly UserThen[], at: string): Promise<UserThen[]> {
  const since = new Map<string, string>();
  for (const { IamUserArn, held } of users) {
    const first = since.get(IamUserArn);
    if (first === undefined || held.SetAt < first) since.set(IamUserArn, held.SetAt);
  }
  const ended = new Set<UserThen>();
  await inGroups([...since], async ([IamUserArn, first]) => {
    const own = users.filter((user) => user.IamUserArn === IamUserArn);
    // A clock that is behind another's tells a little earlier what came later.
    const from = new Date(Date.parse(first) - 60_000).toISOString();
    for await (const event of eventsOf(
      table,
      sources.ofUser(IamUserArn),
      { from, to: at },
      PROFILE_OPERATIONS,
    ))
      for (const user of own) if (endsProfile(event, user.held)) ended.add(user);
  });
  return users.filter((user) => !ended.has(user));
}

/** A stack that is there now was there since it was made; another until it was deleted. */
async function stacksThereAt(
  table: Table,
  stackIds: readonly string[],
  at: string,
): Promise<ReadonlySet<string>> {
  const items = await getItems(table, stackIds.map(keys.stack));
  const there = new Set<string>();
  await inGroups(stackIds, async (stackId) => {
    const stack = readStack(items.get(keys.stack(stackId)));
    if (stack) {
      if (stack.CreatedAt <= at) there.add(stackId);
      return;
    }
    const span = { from: ALWAYS, to: "~" };
    for await (const deletion of eventsOf(table, sources.ofStack(stackId), span, ["DeleteStack"]))
      if (deletion.Time > at) there.add(stackId);
  });
  return there;
}

async function inGroups<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += TOGETHER)
    await Promise.all(all.slice(from, from + TOGETHER).map(act));
}

function sorted(users: readonly UserThen[]): UserThen[] {
  const nameOf = ({ StackId, IamUserArn }: UserThen) => `${IamUserArn} ${StackId}`;
  return users.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}
