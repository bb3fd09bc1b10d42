import { randomUUID } from "node:crypto";
import type * as z from "zod";
import { holder, shownOf } from "../access/held.ts";
import { mayDo } from "../access/may-do.ts";
import { loadPoliciesOf } from "../access/policy-cache.ts";
import { loadSnapshot, type Snapshot } from "../access/snapshot.ts";
import type { PreviewPermissions } from "../contract/preview-permissions.ts";
import type { Grant } from "../model/grant.ts";
import { levelOfName } from "../model/group.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { timeLeft } from "../table/budget.ts";
import { noSuchStack } from "../table/stacks.ts";
import { listUsers } from "../table/users.ts";
import { accessDenied, ask } from "./authorize.ts";
import type { Call } from "./call.ts";
import { changeLevels, type GroupEntry } from "./change-levels.ts";
import { changeOfUser, type UserEntry } from "./change-of-user.ts";

type Preview = z.input<typeof PreviewPermissions.output>;
type Row = Preview["Permissions"][number];

/** Among how many users the members of a group are looked for, so many at a time, and how many of them get a row. */
const MOST_USERS = 20_000;
const AT_ONCE = 500;
const MOST_ROWS = 100;
/** What is left of the function's time when no more members are looked at. */
const RESERVE_MS = 1500;

/**
 * What it would come to if {@link setPermissions} did this: worked out by the same changes, and decided by the same rules from the same
 * facts. It tells what DescribePermissions tells and, to whom may ask it, what CheckAuthorization does.
 */
export async function previewPermissions(
  call: Call,
  stackId: string,
  users: readonly UserEntry[],
  groups: readonly GroupEntry[],
): Promise<Preview> {
  const { snapshot } = call;
  const { stack } = snapshot;
  if (!stack) throw noSuchStack(stackId);
  const asked = await ask(call, "opsworks:DescribePermissions");
  if (asked.decision !== "allowed") throw accessDenied(asked);
  const mayKnow = (await ask(call, "stackwarden:CheckAuthorization")).decision === "allowed";

  const changes = users.flatMap((entry) => changeOfUser(call, stack, entry) ?? []);
  const stackAfter = (await changeLevels(call, stack, groups))?.stack ?? stack;
  const granted = new Map<string, Grant>();
  for (const { user, after } of changes) {
    const { IamUserArn, ProfileId } = user;
    granted.set(IamUserArn, { ...after, StackId: stackId, IamUserArn, ProfileId, Revision: randomUUID() });
  }
  const rowOf = (user: User, before: Snapshot) =>
    compare(
      call,
      user,
      before,
      stack,
      {
        ...before,
        stack: stackAfter,
        grant: (arn) => granted.get(arn) ?? before.grant(arn),
      },
      mayKnow,
    );

  const named = changes.map(({ user }) => user);
  await loadPoliciesOf(call.deployment.table, named);
  const rows: Row[] = [];
  for (const user of named) rows.push(await rowOf(user, snapshot));
  const GroupPermissions = changedLevels(stack, stackAfter);
  if (GroupPermissions.length === 0) return { Permissions: rows };

  const names = new Set(GroupPermissions.map(({ GroupName }) => GroupName));
  let more = 0;
  const answer = (): Preview => ({
    Permissions: rows,
    GroupPermissions,
    ...(more === 0 ? {} : { MoreMembers: more }),
  });
  for await (const members of membersOf(call, names)) {
    if (members === "too many") return { ...answer(), Incomplete: true };
    const arns = members.filter((arn) => !granted.has(arn));
    const before = await loadSnapshot(call.deployment.table, { userArns: arns, stackId });
    const found = arns.flatMap((arn) => before.user(arn) ?? []);
    await loadPoliciesOf(call.deployment.table, found);
    for (const user of found) {
      // What is left is needed to answer.
      if (timeLeft() < RESERVE_MS) return { ...answer(), Incomplete: true };
      const row = await rowOf(user, { ...before, stack });
      if (!isDifferent(row)) continue;
      if (rows.length < MOST_ROWS) rows.push(row);
      else more += 1;
    }
  }
  return answer();
}

async function compare(
  { deployment, now }: Call,
  user: User,
  before: Snapshot,
  stack: Stack,
  after: Snapshot & { readonly stack: Stack },
  mayKnow: boolean,
): Promise<Row> {
  const held = {
    IamUserArn: user.IamUserArn,
    Before: shown(user, stack, before),
    After: shown(user, after.stack, after),
  };
  if (!mayKnow) return held;
  const [could, can] = [
    await mayDo(deployment, before, user, now),
    await mayDo(deployment, after, user, now),
  ];
  const AbsentKeys = [...new Set([...could.absentKeys, ...can.absentKeys])].toSorted();
  return {
    ...held,
    Gains: without(can.actions, could.actions),
    Loses: without(could.actions, can.actions),
    ...(AbsentKeys.length === 0 ? {} : { AbsentKeys }),
  };
}

function shown(user: User, stack: Stack, { grant }: Snapshot): Row["Before"] {
  const { Version: _version, ...held } = shownOf(holder(user), stack, grant);
  return held;
}

function without(actions: readonly string[], others: readonly string[]): string[] {
  const known = new Set(others);
  return actions.filter((action) => !known.has(action));
}

function isDifferent({ Before, After, Gains = [], Loses = [] }: Row): boolean {
  const isSameLevel =
    (Before.EffectiveLevel ?? Before.Level) === (After.EffectiveLevel ?? After.Level) &&
    Before.LevelFrom === After.LevelFrom;
  return !isSameLevel || Gains.length > 0 || Loses.length > 0;
}

/** What the stack has for groups, where that is not what it had. */
function changedLevels({ GroupGrants: before }: Stack, { GroupGrants: after }: Stack) {
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].toSorted().flatMap((GroupName) => {
    const levels = [before, after].map((grants) => levelOfName(grants, GroupName) ?? "iam_only");
    const [was = "iam_only", is = "iam_only"] = levels;
    return was === is ? [] : [{ GroupName, Before: { Level: was }, After: { Level: is } }];
  });
}

/** The users who are in one of the groups, part after part: candidates, from the index. */
async function* membersOf(
  { deployment: { table } }: Call,
  names: ReadonlySet<string>,
): AsyncGenerator<string[] | "too many"> {
  let token: string | undefined;
  for (let looked = 0; looked < MOST_USERS; looked += AT_ONCE) {
    const { page, next } = await listUsers(table, AT_ONCE, token);
    yield page
      .filter(({ Groups }) => Groups.some((group) => names.has(group)))
      .map((user) => user.IamUserArn);
    if (next === undefined) return;
    token = next;
  }
  yield "too many";
}
