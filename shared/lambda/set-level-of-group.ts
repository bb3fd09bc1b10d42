import { randomUUID } from "node:crypto";
import { whoIs } from "../access/who.ts";
import { Fault } from "../model/fault.ts";
import { levelOfGroup, levelOfName, MAX_GROUP_GRANTS } from "../model/group.ts";
import type { Level } from "../model/level.ts";
import type { Stack } from "../model/stack.ts";
import { appendEvent } from "../table/events.ts";
import { grantMustBe } from "../table/grants.ts";
import { type Group, readGroups } from "../table/groups.ts";
import { noSuchStack, putStack } from "../table/stacks.ts";
import { transact } from "../table/write.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";
import { rightOf } from "./rights-must-stay.ts";

/** Sets the level that a group's members have on a stack; `iam_only` is none. */
export async function setLevelOfGroup(
  call: Call,
  stackId: string,
  name: string,
  level: Level,
): Promise<void> {
  const { table } = call.deployment;
  const { stack } = call.snapshot;
  if (!stack) throw noSuchStack(stackId);
  const group = (await groupNamed(call, name)) ?? groupThatWas(stack, name, level);
  const { Name: GroupName, Id: GroupId } = group;
  const { user } = whoIs(call.snapshot, call.caller);
  if (user?.Groups.includes(GroupName) && !call.answer?.administrator) {
    throw new Fault(
      "ValidationException",
      `Unable to change the permission level of a group you are in: ${GroupName}.`,
    );
  }
  const isTaken = level === "iam_only";
  const before = isTaken
    ? levelOfName(stack.GroupGrants, GroupName)
    : levelOfGroup(stack.GroupGrants, GroupName, GroupId);
  if ((before ?? "iam_only") === level) return;
  const { [GroupName]: _before, ...others } = stack.GroupGrants ?? {};
  const given = { Level: level, ...(GroupId === undefined ? {} : { GroupId }) };
  const GroupGrants = isTaken ? others : { ...others, [GroupName]: given };
  if (Object.keys(GroupGrants).length > MAX_GROUP_GRANTS) {
    throw new Fault(
      "ValidationException",
      `a stack has levels of at most ${MAX_GROUP_GRANTS} groups: set one of them to \`iam_only\` first`,
    );
  }
  const after = { ...stack, GroupGrants, Revision: randomUUID() };
  const right = rightOf(call);
  await transact(table, [
    putStack(table, after, stack.Revision),
    ...(right ? [grantMustBe(table, right)] : []),
    appendEvent(
      table,
      changeEvent(call, {
        StackId: stackId,
        GroupName,
        Before: { Level: before ?? "iam_only" },
        After: { Level: level },
      }),
    ),
  ]);
}

/** As IAM spells it: names that differ only in case are one. */
async function groupNamed({ deployment }: Call, name: string): Promise<Group | undefined> {
  const groups = await readGroups(deployment.table);
  return groups?.find(({ Name }) => Name.toLowerCase() === name.toLowerCase());
}

/** A group that IAM no longer has can only lose its level. */
function groupThatWas({ GroupGrants }: Stack, name: string, level: Level): Group {
  if (level === "iam_only" && levelOfName(GroupGrants, name) !== undefined) return { Name: name };
  throw new Fault(
    "ResourceNotFoundException",
    `Unable to find group with name ${name}: a group is known once users were imported from IAM`,
  );
}
