import { randomUUID } from "node:crypto";
import { Fault } from "../model/fault.ts";
import { levelOfGroup } from "../model/group.ts";
import type { Stack } from "../model/stack.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { type Group, readGroups } from "../table/groups.ts";
import { keys } from "../table/keys.ts";
import { listStacks, putStack, readStack } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";
import { transact } from "../table/write.ts";
import type { Writing } from "./write-users.ts";

const PAGE = 100;
const MAX_TRIES = 10;

/**
 * Takes the levels away that groups had which IAM does not have any more: a group that is made again under the same name is another
 * one, and its members are to start with nothing.
 * @param groups those that IAM has now
 */
export async function forgetGroups(table: Table, groups: readonly Group[], writing: Writing): Promise<void> {
  const now = new Map(groups.map((group) => [group.Name, group]));
  const gone = ((await readGroups(table)) ?? []).filter(({ Name, Id }) => {
    const there = now.get(Name);
    return !there || (Id !== undefined && there.Id !== undefined && Id !== there.Id);
  });
  if (gone.length === 0) return;
  let token: string | undefined;
  do {
    const { page, next } = await listStacks(table, PAGE, token);
    for (const { StackId } of page)
      for (const { Name } of gone) await forgetGroup(table, StackId, Name, writing);
    token = next;
  } while (token !== undefined);
}

async function forgetGroup(table: Table, stackId: string, name: string, writing: Writing): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const stack = readStack((await getItems(table, [keys.stack(stackId)])).get(keys.stack(stackId)));
    if (!stack || levelOfGroup(stack.GroupGrants, name) === undefined) return;
    try {
      await transact(table, writesOf(table, stack, name, writing));
      return;
    } catch (error) {
      if (!(error instanceof Fault && error.transient) || tries === MAX_TRIES) throw error;
    }
  }
}

function writesOf(table: Table, stack: Stack, name: string, { caller, now }: Writing) {
  const { [name]: Level, ...GroupGrants } = stack.GroupGrants ?? {};
  const event = {
    EventId: randomUUID(),
    Time: now.toISOString(),
    Operation: "ImportUsers",
    Caller: caller,
    StackId: stack.StackId,
    GroupName: name,
    Before: { Level },
    After: { Level: "iam_only" },
  };
  return [
    putStack(table, { ...stack, GroupGrants, Revision: randomUUID() }, stack.Revision),
    appendEvent(table, event),
  ];
}
