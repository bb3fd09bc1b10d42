import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import {
  iamUser,
  openTestStack,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";
import { NEW_STACK } from "../setup/writing-requests.ts";

let stack: TestStack;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({
    UserDetailList: ["admin", "manager"].map((name) => iamUser(name)),
    RoleDetailList: stackRoles(),
  });
  await stack.addGroups("ops", "web");
  admin = stack.asRoot();
});
afterAll(() => stack.close());

const post = async (operation: string, input: object): Promise<Wire> => {
  const { status, body } = await stack.post(admin, `/${operation}`, input);
  expect([operation, status, body.message]).toEqual([operation, 200, undefined]);
  return body;
};
const at = (input: object, who = admin) => stack.post(who, "/DescribePermissionsAt", input);
/** A moment after all that was done, and before all that is done next. */
const moment = async () => {
  await sleep(3);
  const now = new Date().toISOString();
  await sleep(3);
  return now;
};

type Held = { Level: string; AllowSsh: boolean; AllowSudo: boolean };
/** What the world should look like: who holds what on which stack. */
type World = Map<string, { users: Map<string, Held>; groups: Map<string, string> }>;

const NAMES = ["u0", "u1", "u2"];
const someone = fc.constantFrom(...NAMES);
const level = fc.constantFrom("deny", "iam_only", "show", "deploy", "manage");
const which = fc.nat({ max: 3 });
const access = fc.record({ AllowSsh: fc.boolean(), AllowSudo: fc.boolean() }, { requiredKeys: ["AllowSsh"] });
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant("set" as const), who: someone, Level: level, which }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ssh" as const), who: someone, access, which }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("several" as const), Level: level, group: level, which }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("rebirth" as const), who: someone }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("replace" as const), who: someone }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("clone" as const), which }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), which }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Runs the steps through the functions and in the model; answers with the world at each noted time. */
async function run(steps: readonly Step[], names: ReadonlyMap<string, string>) {
  const world: World = new Map();
  const noted: { time: string; world: World }[] = [];
  const arnOf = (name: string) => userArn(names.get(name) ?? "");
  let generation = 0;
  for (const name of names.values()) await post("CreateUserProfile", { IamUserArn: userArn(name) });
  const create = async () => {
    const { StackId } = await post("CreateStack", NEW_STACK);
    world.set(StackId, { users: new Map(), groups: new Map() });
  };
  await create();
  const pick = (index: number): string => [...world.keys()][index % world.size] ?? "";
  const change = (StackId: string, arn: string, by: Partial<Held>) => {
    const users = world.get(StackId)?.users;
    const before = users?.get(arn) ?? { Level: "iam_only", AllowSsh: false, AllowSudo: false };
    const AllowSsh = by.AllowSsh ?? before.AllowSsh;
    const after = {
      Level: by.Level ?? before.Level,
      AllowSsh,
      AllowSudo: by.AllowSudo ?? (AllowSsh && before.AllowSudo),
    };
    if (after.Level === "iam_only" && !after.AllowSsh) users?.delete(arn);
    else users?.set(arn, after);
  };
  for (const one of steps) {
    if (world.size === 0) await create();
    if (one.kind === "set") {
      const [StackId, IamUserArn] = [pick(one.which), arnOf(one.who)];
      await post("SetPermission", { StackId, IamUserArn, Level: one.Level });
      change(StackId, IamUserArn, { Level: one.Level });
    } else if (one.kind === "ssh") {
      const AllowSudo = one.access.AllowSsh && one.access.AllowSudo === true;
      const [StackId, IamUserArn] = [pick(one.which), arnOf(one.who)];
      const to = { AllowSsh: one.access.AllowSsh, AllowSudo };
      await post("SetPermission", { StackId, IamUserArn, ...to });
      change(StackId, IamUserArn, to);
    } else if (one.kind === "several") {
      const StackId = pick(one.which);
      const Permissions = NAMES.map((name) => ({ IamUserArn: arnOf(name), Level: one.Level }));
      const GroupPermissions = [{ GroupName: "ops", Level: one.group }];
      await post("SetPermissions", { StackId, Permissions, GroupPermissions });
      for (const { IamUserArn } of Permissions) change(StackId, IamUserArn, { Level: one.Level });
      if (one.group === "iam_only") world.get(StackId)?.groups.delete("ops");
      else world.get(StackId)?.groups.set("ops", one.group);
    } else if (one.kind === "rebirth") {
      await post("DeleteUserProfile", { IamUserArn: arnOf(one.who) });
      await post("CreateUserProfile", { IamUserArn: arnOf(one.who) });
      for (const { users } of world.values()) users.delete(arnOf(one.who));
    } else if (one.kind === "replace") {
      // IAM has somebody else under the name now; the first import only learns who it is.
      for (let time = 0; time < 2; time += 1) {
        generation += 1;
        await stack.importAccount({
          UserDetailList: [iamUser(names.get(one.who) ?? "", { id: `AIDA${generation}${randomUUID()}` })],
        });
      }
      for (const { users } of world.values()) users.delete(arnOf(one.who));
    } else if (one.kind === "clone") {
      const source = pick(one.which);
      const input = {
        SourceStackId: source,
        ServiceRoleArn: NEW_STACK.ServiceRoleArn,
        ClonePermissions: true,
      };
      const { StackId } = await post("CloneStack", input);
      const { users, groups } = world.get(source) ?? { users: [], groups: [] };
      world.set(StackId, { users: new Map(users), groups: new Map(groups) });
    } else {
      const StackId = pick(one.which);
      await post("DeleteStack", { StackId });
      world.delete(StackId);
    }
    noted.push({ time: await moment(), world: structuredClone(world) });
  }
  return { noted, stackIds: new Set(noted.flatMap((note) => [...note.world.keys()])) };
}

const withoutOrigin = ({ Since: _since, By: _by, Reason: _reason, ...row }: Wire) => row;

/** That the answers about that moment are what the model says. */
async function expectAt(
  At: string | undefined,
  world: World,
  stackIds: ReadonlySet<string>,
  arns: readonly string[],
) {
  const time = At === undefined ? {} : { At };
  for (const StackId of stackIds) {
    const { status, body } = await at({ StackId, ...time });
    const model = world.get(StackId);
    expect(status).toBe(model ? 200 : 404);
    if (!model) continue;
    const rows = arns.flatMap((IamUserArn) => {
      const held = model.users.get(IamUserArn);
      return held ? [{ StackId, IamUserArn, ...held }] : [];
    });
    expect(body.Permissions.map(withoutOrigin)).toEqual(rows);
    const groups = [...model.groups].map(([GroupName, Level]) => ({ StackId, GroupName, Level }));
    expect((body.GroupPermissions ?? []).map(withoutOrigin)).toEqual(groups);
  }
  for (const IamUserArn of arns) {
    const { body } = await at({ IamUserArn, ...time });
    const rows = [...world].flatMap(([StackId, { users }]) => {
      const held = users.get(IamUserArn);
      return held ? [{ StackId, IamUserArn, ...held }] : [];
    });
    const byStack = (a: Wire, b: Wire) => (a.StackId < b.StackId ? -1 : 1);
    expect(body.Permissions.map(withoutOrigin)).toEqual(rows.toSorted(byStack));
  }
}

test("the answer at each moment is what the model says, and now it is what DescribePermissions says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async (steps) => {
      const names = new Map(NAMES.map((name) => [name, `${name}-${randomUUID().slice(0, 8)}`]));
      const arns = [...names.values()].map(userArn).toSorted((a, b) => (a < b ? -1 : 1));
      const { noted, stackIds } = await run(steps, names);
      for (const { time, world } of noted) await expectAt(time, world, stackIds, arns);
      const last = noted.at(-1)?.world ?? new Map();
      await expectAt(undefined, last, stackIds, arns);
      for (const StackId of last.keys()) {
        const { Permissions } = await post("DescribePermissions", { StackId });
        const held = Permissions.map(({ Version: _version, ...row }: Wire) => row).filter(
          ({ IamUserArn, Level, AllowSsh }: Wire) =>
            arns.includes(IamUserArn) && (Level !== "iam_only" || AllowSsh),
        );
        const now = (await at({ StackId })).body.Permissions.map(withoutOrigin);
        expect(now).toEqual(held);
      }
    }),
    { numRuns: 12, ...(process.env.SEED === undefined ? {} : { seed: Number(process.env.SEED) }) },
  );
}, 180_000);

describe("a permission then", () => {
  const bob = { IamUserArn: userArn("manager") };

  test("says since when the level has been that, by whom and why", async () => {
    const { StackId } = await post("CreateStack", NEW_STACK);
    await post("SetPermission", { StackId, ...bob, Level: "show", Reason: "a look" });
    await post("SetPermission", { StackId, ...bob, Level: "manage", Reason: "on call" });
    await post("SetPermission", { StackId, ...bob, AllowSsh: true, Reason: "a server" });
    const [, set] = (await post("DescribeEvents", { StackId })).Events;
    const { Permissions } = (await at({ StackId })).body;
    expect(Permissions).toEqual([
      {
        StackId,
        ...bob,
        Level: "manage",
        AllowSsh: true,
        AllowSudo: false,
        Since: set.Time,
        By: admin.userArn,
        Reason: "on call",
      },
    ]);
  });

  test("of a copy is by who copied", async () => {
    const { StackId: SourceStackId } = await post("CreateStack", NEW_STACK);
    await post("SetPermission", { StackId: SourceStackId, ...bob, Level: "show" });
    const copy = { SourceStackId, ServiceRoleArn: NEW_STACK.ServiceRoleArn, ClonePermissions: true };
    const { StackId } = await post("CloneStack", { ...copy, Reason: "staging" });
    expect((await at({ StackId })).body.Permissions).toMatchObject([{ Level: "show", Reason: "staging" }]);
  });

  test("comes in pages", async () => {
    const { StackId } = await post("CreateStack", NEW_STACK);
    const Permissions = ["admin", "manager"].map((name) => ({ IamUserArn: userArn(name), Level: "show" }));
    await post("SetPermissions", { StackId, Permissions });
    const At = await moment();
    const first = (await at({ StackId, At, MaxResults: 1 })).body;
    const second = (await at({ StackId, At, MaxResults: 1, NextToken: first.NextToken })).body;
    expect([...first.Permissions, ...second.Permissions].map(({ IamUserArn }) => IamUserArn)).toEqual([
      userArn("admin"),
      userArn("manager"),
    ]);
    expect(second.NextToken).toBeUndefined();

    const { NextToken, At: asked } = (await at({ StackId, MaxResults: 1 })).body;
    expect((await at({ StackId, MaxResults: 1, NextToken })).body).toMatchObject({
      At: asked,
      Permissions: second.Permissions,
    });
    for (const other of [{ IamUserArn: userArn("admin") }, { StackId, At }])
      expect(await at({ ...other, NextToken })).toMatchObject({
        status: 400,
        body: { message: "`NextToken` is not a token of this list" },
      });
  });

  test("is seen by whoever has Manage there or a policy; without a stack, by policy", async () => {
    const { StackId } = await post("CreateStack", NEW_STACK);
    const manager = stack.asUser("manager");
    expect((await at({ StackId }, manager)).status).toBe(403);
    await post("SetPermission", { StackId, ...bob, Level: "manage" });
    expect((await at({ StackId }, manager)).status).toBe(200);
    expect((await at(bob, manager)).status).toBe(403);
    expect((await at({ StackId, At: "2020-01-01T00:00:00Z" }, manager)).status).toBe(404);
    expect((await at({ StackId: randomUUID() })).status).toBe(404);
    expect((await at({})).status).toBe(400);
  });
});
