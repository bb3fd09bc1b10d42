import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import actions from "../../shared/decision/actions.json" with { type: "json" };
import { iamUser, openTestStack, policy, type TestStack, userArn, type Wire } from "../setup/test-stack.ts";

const withLevel = (...levels: string[]) =>
  Object.entries(actions).flatMap(([name, level]) => (levels.includes(level) ? [name] : []));
/** All of them but GrantAccess, which also takes SSH/RDP. */
const SHOW = withLevel("show").filter((name) => name !== "opsworks:GrantAccess");
const DEPLOY = withLevel("deploy");
const MANAGE = withLevel("manage");
/** Which no level includes, and which are asked of a stack. */
const BY_POLICY = ["CloneStack", "ListTags", "TagResource", "UntagResource"].map(
  (name) => `opsworks:${name}`,
);

const LOOK = policy("Allow", "opsworks:Describe*");
const FROM_THE_OFFICE = policy("Deny", "opsworks:DeleteStack", "*", {
  Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
});

let stack: TestStack;
let stackId: string;
let manager: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({
    UserDetailList: [
      ...["plain", "manager", "admin"].map((name) => iamUser(name)),
      iamUser("full", { policies: { all: policy("Allow", "opsworks:*") } }),
      iamUser("denied", { policies: { no: policy("Deny", "opsworks:CreateLayer") } }),
      iamUser("bounded", { PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/look" } }),
      iamUser("office", { policies: { office: FROM_THE_OFFICE } }),
      ...["ann", "ben"].map((name) => iamUser(name, { GroupList: ["ops"] })),
      iamUser("cat", {
        GroupList: ["ops", "web"],
        policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*"]) },
      }),
      iamUser("setter", { policies: { set: policy("Allow", "opsworks:SetPermission") } }),
    ],
    GroupDetailList: [{ GroupName: "ops" }, { GroupName: "web" }],
    Policies: [
      {
        PolicyName: "look",
        Arn: "arn:aws:iam::aws:policy/look",
        DefaultVersionId: "v1",
        PolicyVersionList: [{ VersionId: "v1", IsDefaultVersion: true, Document: LOOK }],
      },
    ],
  });
  await stack.addGroups("ops", "web");
  manager = stack.asUser("manager");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stackId = await stack.addStack();
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
  stack.sent.length = 0;
});
afterEach(() => {
  expect(stack.faults).toEqual([]);
});

const entry = (name: string, change: object) => ({ IamUserArn: userArn(name), ...change });
const preview = (as: Identity, input: object) =>
  stack.post(as, "/PreviewPermissions", { StackId: stackId, ...input });

/** What a change of one user's permission comes to. */
async function effect(name: string, change: object): Promise<Wire> {
  const { status, body } = await preview(manager, { Permissions: [entry(name, change)] });
  expect(status).toBe(200);
  expect(stack.writes()).toEqual([]);
  return body.Permissions[0];
}
const none = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

describe("a preview", () => {
  test("of somebody without policies gives what the level includes, and nothing is written", async () => {
    expect(await effect("plain", { Level: "deploy" })).toEqual({
      IamUserArn: userArn("plain"),
      Before: none,
      After: { ...none, Level: "deploy" },
      Gains: expect.toSatisfy((gains: string[]) => isSame(gains, [...SHOW, ...DEPLOY])),
      Loses: [],
    });
    expect(await stack.eventsOfStack(stackId)).toEqual([]);
  });

  test("of a lower level takes away what the higher one added", async () => {
    await stack.grant(stackId, userArn("plain"), { Level: "manage" });
    const { Gains, Loses } = await effect("plain", { Level: "show" });
    expect(Gains).toEqual([]);
    expect(isSame(Loses, [...DEPLOY, ...MANAGE])).toBe(true);
  });

  test("of SSH/RDP gives the temporary login, too", async () => {
    await stack.grant(stackId, userArn("plain"), { Level: "show" });
    expect(await effect("plain", { AllowSsh: true, AllowSudo: true })).toMatchObject({
      After: { Level: "show", AllowSsh: true, AllowSudo: true },
      Gains: ["opsworks:GrantAccess"],
      Loses: [],
    });
  });

  test("of somebody whose policy allows everything gives nothing by a level, and Deny takes all of it", async () => {
    const up = await effect("full", { Level: "manage" });
    expect(up.Gains.every((action: string) => action.startsWith("stackwarden:"))).toBe(true);
    expect(up.Loses).toEqual([]);
    const down = await effect("full", { Level: "deny" });
    expect(down.Gains).toEqual([]);
    const isOurs = (action: string) => action.startsWith("opsworks:");
    expect(isSame(down.Loses, [...SHOW, ...DEPLOY, ...MANAGE, ...BY_POLICY].filter(isOurs))).toBe(true);
  });

  test("of somebody with a Deny statement does not give what it denies", async () => {
    const { Gains } = await effect("denied", { Level: "manage" });
    expect(isSame(Gains, without([...SHOW, ...DEPLOY, ...MANAGE], "opsworks:CreateLayer"))).toBe(true);
  });

  test("of somebody with a boundary gives no more than the boundary allows", async () => {
    const { Gains } = await effect("bounded", { Level: "manage" });
    const all = [...SHOW, ...MANAGE].filter((action) => action.startsWith("opsworks:Describe"));
    expect(isSame(Gains, all)).toBe(true);
  });

  test("says which condition keys nobody can know beforehand", async () => {
    expect((await effect("office", { Level: "manage" })).AbsentKeys).toEqual(["aws:sourceip"]);
  });

  test("of a change that makes none has no row", async () => {
    const { body } = await preview(manager, { Permissions: [entry("plain", { Level: "iam_only" })] });
    expect(body).toEqual({ Permissions: [] });
  });

  test("agrees with what CheckAuthorization says before and after", async () => {
    const { Gains } = await effect("denied", { Level: "manage", AllowSsh: true });
    const ask = async () => {
      const allowed: string[] = [];
      for (const names of [Object.keys(actions).slice(0, 60), Object.keys(actions).slice(60)]) {
        const { body } = await stack.post(manager, "/access/v1/evaluations", {
          subject: { type: "user", id: userArn("denied") },
          resource: { type: "stack", id: stackId },
          evaluations: names.map((name) => ({ action: { name } })),
        });
        allowed.push(...names.filter((_name, index) => body.evaluations[index].decision));
      }
      return allowed;
    };
    const before = await ask();
    await stack.post(manager, "/SetPermission", {
      StackId: stackId,
      ...entry("denied", { Level: "manage", AllowSsh: true }),
    });
    expect(isSame(await ask(), [...before, ...Gains])).toBe(true);
  });
});

describe("a preview of a group's level", () => {
  const ops = (Level: string) => ({ GroupPermissions: [{ GroupName: "OPS", Level }] });
  const byName = (body: Wire) =>
    new Map<string, Wire>(body.Permissions.map((row: Wire) => [row.IamUserArn.split("/").at(-1), row]));

  test("has every member for whom it makes a difference, and where their level will come from", async () => {
    await stack.grant(stackId, userArn("ben"), { Level: "manage" });
    const { body } = await preview(manager, ops("deploy"));
    expect(body.GroupPermissions).toEqual([
      { GroupName: "ops", Before: { Level: "iam_only" }, After: { Level: "deploy" } },
    ]);
    const rows = byName(body);
    expect([...rows.keys()].toSorted()).toEqual(["ann", "cat"]);
    expect(rows.get("ann")).toMatchObject({
      Before: none,
      After: { ...none, EffectiveLevel: "deploy", LevelFrom: "group/ops" },
      Loses: [],
    });
    expect(isSame(rows.get("ann").Gains, [...SHOW, ...DEPLOY])).toBe(true);
    expect(rows.get("cat").Gains).toEqual([]);
    expect(stack.writes()).toEqual([]);
  });

  test("counts a member's own change together with it", async () => {
    const { body } = await preview(manager, {
      ...ops("deny"),
      Permissions: [entry("ann", { Level: "manage" })],
    });
    expect(byName(body).get("ann")).toMatchObject({
      Before: none,
      After: { ...none, Level: "manage", EffectiveLevel: "deny", LevelFrom: "group/ops" },
      Gains: [],
      Loses: [],
    });
  });
});

describe("a preview is refused", () => {
  test.for([
    ["manager", { Level: "show" }, 400, "Unable to change own permission level"],
    ["plain", { AllowSudo: true }, 400, "`AllowSudo` takes `AllowSsh`"],
    ["plain", { Level: "show", IfVersion: "another" }, 409, "was changed meanwhile"],
    ["nobody", { Level: "show" }, 404, "Unable to find user"],
  ] as const)("of %s %j, as SetPermissions refuses it", async ([name, change, status, message]) => {
    const input = { StackId: stackId, Permissions: [entry(name, change)] };
    const replies = [
      await stack.post(manager, "/PreviewPermissions", input),
      await stack.post(manager, "/SetPermissions", input),
    ];
    for (const { status: given, body } of replies) {
      expect({ given, message: body.message }).toEqual({
        given: status,
        message: expect.stringContaining(message),
      });
    }
    expect(replies[0]?.body).toEqual(replies[1]?.body);
  });

  test("to a Show user, and to who may set permissions and not see them", async () => {
    await stack.grant(stackId, userArn("plain"), { Level: "show" });
    const input = { Permissions: [entry("denied", { Level: "show" })] };
    for (const [name, action] of [
      ["plain", "opsworks:SetPermission"],
      ["setter", "opsworks:DescribePermissions"],
    ] as const) {
      const { status, body } = await preview(stack.asUser(name), input);
      expect(status).toBe(403);
      expect(body.message).toContain(`is not authorized to perform: ${action} on resource`);
    }
  });

  test("in part to who may set and see permissions, and not ask what others may do", async () => {
    const { status, body } = await preview(stack.asUser("full"), {
      Permissions: [entry("denied", { Level: "show" })],
    });
    expect(status).toBe(200);
    expect(body.Permissions).toEqual([
      { IamUserArn: userArn("denied"), Before: none, After: { ...none, Level: "show" } },
    ]);
  });
});

function isSame(a: readonly string[], b: readonly string[]): boolean {
  expect(a.toSorted()).toEqual([...new Set(b)].toSorted());
  return true;
}

function without(actions: readonly string[], action: string): string[] {
  return actions.filter((one) => one !== action);
}
