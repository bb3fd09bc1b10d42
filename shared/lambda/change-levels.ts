import { randomUUID } from "node:crypto";
import { whoIs } from "../access/who.ts";
import { Fault } from "../model/fault.ts";
import { levelOfGroup, levelOfName, MAX_GROUP_GRANTS, versionOfName } from "../model/group.ts";
import type { Level } from "../model/level.ts";
import type { Stack } from "../model/stack.ts";
import { newVersion, versionMustBe } from "../model/version.ts";
import { appendEvent } from "../table/events.ts";
import { type Group, readGroups } from "../table/groups.ts";
import type { Write } from "../table/write.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { type Entry, faultIn, inEntry } from "./entry.ts";

/** The level that a group's members are to have on a stack; `iam_only` is none. */
export type GroupEntry = Entry & {
  readonly GroupName: string;
  readonly Level: Level;
  readonly IfVersion?: string | undefined;
};

/**
 * The stack with these levels of groups, and their events; `undefined` where it is so already.
 * @throws Fault that names the entry
 */
export async function changeLevels(
  call: Call,
  stack: Stack,
  entries: readonly GroupEntry[],
): Promise<{ stack: Stack; events: Write[] } | undefined> {
  if (entries.length === 0) return undefined;
  const known = await readGroups(call.deployment.table);
  const events: Write[] = [];
  let changed = stack;
  for (const entry of entries) {
    const one = inEntry(entry, () => changeLevel(call, changed, known, entry));
    if (!one) continue;
    changed = one.stack;
    events.push(one.event);
    if (Object.keys(changed.GroupGrants ?? {}).length <= MAX_GROUP_GRANTS) continue;
    const message = `a stack has levels of at most ${MAX_GROUP_GRANTS} groups: set one of them to \`iam_only\` first`;
    throw faultIn(entry, new Fault("ValidationException", message));
  }
  return events.length === 0 ? undefined : { stack: { ...changed, Revision: randomUUID() }, events };
}

function changeLevel(
  call: Call,
  stack: Stack,
  known: readonly Group[] | undefined,
  entry: GroupEntry,
): { stack: Stack; event: Write } | undefined {
  const { StackId, GroupGrants: grants = {} } = stack;
  const { Level: level, IfVersion } = entry;
  const group = groupNamed(known, entry.GroupName) ?? groupThatWas(stack, entry.GroupName, level);
  const { Name: GroupName, Id: GroupId } = group;
  const { user } = whoIs(call.snapshot, call.caller);
  if (user?.Groups.includes(GroupName) && !call.answer?.administrator) {
    throw new Fault(
      "ValidationException",
      `Unable to change the permission level of a group you are in: ${GroupName}.`,
    );
  }
  versionMustBe(`the level of group ${GroupName}`, versionOfName(grants, GroupName), IfVersion);
  const isTaken = level === "iam_only";
  const before = isTaken ? levelOfName(grants, GroupName) : levelOfGroup(grants, GroupName, GroupId);
  if ((before ?? "iam_only") === level) return undefined;
  const { [GroupName]: _before, ...others } = grants;
  const given = { Level: level, ...(GroupId === undefined ? {} : { GroupId }), Version: newVersion() };
  const GroupGrants = isTaken ? others : { ...others, [GroupName]: given };
  const event = changeEvent(call, {
    StackId,
    GroupName,
    Before: { Level: before ?? "iam_only" },
    After: { Level: level },
  });
  return { stack: { ...stack, GroupGrants }, event: appendEvent(call.deployment.table, event) };
}

/** As IAM spells it: names that differ only in case are one. */
function groupNamed(known: readonly Group[] | undefined, name: string): Group | undefined {
  return known?.find(({ Name }) => Name.toLowerCase() === name.toLowerCase());
}

/** A group that IAM no longer has can only lose its level. */
function groupThatWas({ GroupGrants }: Stack, name: string, level: Level): Group {
  if (level === "iam_only" && levelOfName(GroupGrants, name) !== undefined) return { Name: name };
  throw new Fault(
    "ResourceNotFoundException",
    `Unable to find group with name ${name}: a group is known once users were imported from IAM`,
  );
}
