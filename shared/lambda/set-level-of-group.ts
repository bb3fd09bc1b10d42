import { randomUUID } from "node:crypto";
import { whoIs } from "../access/who.ts";
import { Fault } from "../model/fault.ts";
import { levelOfGroup, MAX_GROUP_GRANTS } from "../model/group.ts";
import type { Level } from "../model/level.ts";
import { appendEvent } from "../table/events.ts";
import { grantMustBe } from "../table/grants.ts";
import { readGroups } from "../table/groups.ts";
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
  const GroupName = levelOfGroup(stack.GroupGrants, name) === undefined ? await groupNamed(call, name) : name;
  const { user } = whoIs(call.snapshot, call.caller);
  if (user?.Groups.includes(GroupName) && !call.answer?.administrator) {
    throw new Fault(
      "ValidationException",
      `Unable to change the permission level of a group you are in: ${GroupName}.`,
    );
  }
  const before = levelOfGroup(stack.GroupGrants, GroupName) ?? "iam_only";
  if (before === level) return;
  const { [GroupName]: _before, ...others } = stack.GroupGrants ?? {};
  const GroupGrants = level === "iam_only" ? others : { ...others, [GroupName]: level };
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
      changeEvent(call, { StackId: stackId, GroupName, Before: { Level: before }, After: { Level: level } }),
    ),
  ]);
}

/** As IAM spells it: names that differ only in case are one. */
async function groupNamed({ deployment }: Call, name: string): Promise<string> {
  const groups = await readGroups(deployment.table);
  const found = groups?.find(({ Name }) => Name.toLowerCase() === name.toLowerCase());
  if (found) return found.Name;
  throw new Fault(
    "ResourceNotFoundException",
    `Unable to find group with name ${name}: a group is known once users were imported from IAM`,
  );
}
