import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  ANY_VERSION,
  iamUser,
  openTestStack,
  policy,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

let stack: TestStack;
let stackId: string;
let manager: Identity;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({
    UserDetailList: [
      iamUser("manager"),
      iamUser("admin", { GroupList: ["ops"] }),
      iamUser("ann", { GroupList: ["ops", "web"] }),
      iamUser("ben", { GroupList: ["ops"] }),
      iamUser("cat"),
      iamUser("asks", { policies: { ask: policy("Allow", "stackwarden:CheckAuthorization") } }),
      iamUser("in-charge", {
        GroupList: ["ops"],
        policies: { set: policy("Allow", "opsworks:SetPermission") },
      }),
    ],
    GroupDetailList: [{ GroupName: "ops" }, { GroupName: "web" }],
  });
  await stack.addGroups("ops", "web", "constructor", ...many());
  manager = stack.asUser("manager");
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stackId = await stack.addStack();
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
});

const many = () => Array.from({ length: 101 }, (_, index) => `g${index}`);

const setGroup = (as: Identity, GroupName: string, Level: string, rest: object = {}) =>
  stack.post(as, "/SetPermission", { StackId: stackId, GroupName, Level, ...rest });
const setUser = (name: string, Level: string) =>
  stack.post(admin, "/SetPermission", { StackId: stackId, IamUserArn: userArn(name), Level });

/** What is decided of a user, asked by an enforcement point. */
async function decided(name: string, action: string): Promise<Wire> {
  const { body } = await stack.post(stack.asUser("asks"), "/access/v1/evaluation", {
    subject: { type: "user", id: userArn(name) },
    action: { name: `opsworks:${action}` },
    resource: { type: "stack", id: stackId },
  });
  return body;
}

describe("the level of a group", () => {
  test("counts for its members, and says where it comes from", async () => {
    expect(await setGroup(manager, "ops", "deploy")).toMatchObject({ status: 200, body: {} });
    expect(await decided("ben", "CreateDeployment")).toEqual({
      decision: true,
      context: {
        decision: "allowed",
        rule: "level-allow",
        reason: "the level `deploy` of the group `ops` includes it",
        level: "deploy",
        levelFrom: "group/ops",
      },
    });
    expect((await decided("cat", "CreateDeployment")).decision).toBe(false);
    expect((await decided("ben", "CreateLayer")).context).toMatchObject({
      rule: "default-deny",
      level: "deploy",
      levelFrom: "group/ops",
      wouldGrant: "manage",
    });
  });

  test.for([
    ["show", "deploy", "show", "deploy", "group/ops"],
    ["deploy", "show", "show", "deploy", "user"],
    ["deploy", "deploy", "show", "deploy", "user"],
    ["manage", "deny", "show", "deny", "group/ops"],
    ["deny", "manage", "show", "deny", "user"],
    ["show", "manage", "deny", "deny", "group/web"],
    ["iam_only", "show", "deploy", "deploy", "group/web"],
  ])(
    "of own %s, ops %s and web %s, the strongest applies, and deny beats all: %s",
    async ([own = "", ops = "", web = "", effective = "", from = ""]) => {
      await setUser("ann", own);
      await setGroup(manager, "ops", ops);
      await setGroup(manager, "web", web);
      const { context } = await decided("ann", "DescribeStackSummary");
      expect([context.level, context.levelFrom ?? "user"]).toEqual([effective, from]);

      const { body } = await stack.post(stack.asRoot(), "/DescribePermissions", {
        StackId: stackId,
        IamUserArn: userArn("ann"),
      });
      expect(body.Permissions).toEqual([
        {
          StackId: stackId,
          IamUserArn: userArn("ann"),
          Level: own,
          AllowSsh: false,
          AllowSudo: false,
          ...ANY_VERSION,
          ...(from === "user" ? {} : { EffectiveLevel: effective, LevelFrom: from }),
        },
      ]);
    },
  );

  test("is taken away by `iam_only`, and seen by the very next check", async () => {
    await setGroup(manager, "ops", "manage");
    expect((await decided("ben", "CreateLayer")).decision).toBe(true);
    await setGroup(manager, "ops", "iam_only");
    expect((await decided("ben", "CreateLayer")).decision).toBe(false);
    expect((await stack.read(keys.stack(stackId))).GroupGrants).toEqual({});
  });

  test("is kept on the stack's item, so that a check stays one BatchGetItem", async () => {
    await setGroup(manager, "ops", "show");
    await decided("ben", "DescribeStackSummary");
    stack.sent.length = 0;
    await decided("ben", "DescribeStackSummary");
    expect(stack.sent.map(({ command }) => command)).toEqual(["BatchGetItem"]);
  });

  test("lets members call the operations themselves", async () => {
    await setGroup(manager, "ops", "manage");
    const asBen = await stack.post(stack.asUser("ben"), "/SetPermission", {
      StackId: stackId,
      IamUserArn: userArn("cat"),
      Level: "show",
    });
    expect(asBen.status).toBe(200);
  });

  test("holds on that stack alone", async () => {
    await setGroup(manager, "ops", "manage");
    stackId = await stack.addStack();
    expect((await decided("ben", "CreateLayer")).decision).toBe(false);
  });

  test("of somebody who is gone from IAM counts no more, but as a deny", async () => {
    await stack.importAccount({
      UserDetailList: [iamUser("leaver", { GroupList: ["ops"] })],
      GroupDetailList: [{ GroupName: "ops" }],
    });
    await setGroup(manager, "ops", "manage");
    expect((await decided("leaver", "CreateLayer")).decision).toBe(true);
    await stack.loseFromIam(userArn("leaver"));
    expect((await decided("leaver", "CreateLayer")).context).toMatchObject({ rule: "default-deny" });
    await setGroup(manager, "ops", "deny");
    expect((await decided("leaver", "CreateLayer")).context).toMatchObject({ rule: "level-deny" });
  });
});

describe("the levels of groups", () => {
  test("are listed with the stack's permissions and in My Settings", async () => {
    await setGroup(manager, "ops", "deploy");
    await setGroup(manager, "web", "show");
    const { body } = await stack.post(manager, "/DescribePermissions", { StackId: stackId });
    expect(body.GroupPermissions).toEqual([
      { StackId: stackId, GroupName: "ops", Level: "deploy", ...ANY_VERSION },
      { StackId: stackId, GroupName: "web", Level: "show", ...ANY_VERSION },
    ]);
    expect(body.Permissions.find((row: Wire) => row.IamUserArn === userArn("ben"))).toMatchObject({
      Level: "iam_only",
      EffectiveLevel: "deploy",
      LevelFrom: "group/ops",
    });

    const profile = { IamUserArn: userArn("ben"), AllowSelfManagement: true };
    expect((await stack.post(admin, "/UpdateUserProfile", profile)).status).toBe(200);
    const mine = await stack.post(stack.asUser("ben"), "/DescribeMyUserProfile", {});
    expect(mine.body.Permissions.find((row: Wire) => row.StackId === stackId)).toMatchObject({
      Level: "iam_only",
      EffectiveLevel: "deploy",
      LevelFrom: "group/ops",
    });
  });

  test("are at most 100, and the next is refused with what to do", async () => {
    const [last = "", ...hundred] = many();
    const GroupGrants = Object.fromEntries(hundred.map((name) => [name, { Level: "show" }]));
    const { Revision, ...item } = await stack.read(keys.stack(stackId));
    await stack.put({ ...item, Revision, GroupGrants });
    const { status, body } = await setGroup(manager, last, "show");
    expect([status, body.message]).toEqual([
      400,
      "a stack has levels of at most 100 groups: set one of them to `iam_only` first",
    ]);
    expect((await setGroup(manager, hundred[0]!, "deploy")).status).toBe(200);
  });

  test("leave their event on the stack's trail", async () => {
    await setGroup(manager, "ops", "show");
    await setGroup(manager, "ops", "show");
    expect(await stack.eventsOfStack(stackId)).toMatchObject([
      {
        Operation: "SetPermission",
        Caller: userArn("manager"),
        StackId: stackId,
        GroupName: "ops",
        Before: { Level: "iam_only" },
        After: { Level: "show" },
      },
    ]);
  });
});

describe("nobody", () => {
  test.for(["ben", "in-charge"])(
    "sets the level of a group they are in, by level or by policy: %s",
    async (name) => {
      await stack.grant(stackId, userArn("ben"), { Level: "manage" });
      for (const level of ["manage", "show", "deny", "iam_only"]) {
        expect(await setGroup(stack.asUser(name), "OPS", level)).toMatchObject({
          status: 400,
          body: {
            __type: "ValidationException",
            message: "Unable to change the permission level of a group you are in: ops.",
          },
        });
      }
      expect((await setGroup(stack.asUser(name), "web", "show")).status).toBe(200);
    },
  );

  test("but an administrator does", async () => {
    expect((await setGroup(admin, "ops", "show")).status).toBe(200);
    expect((await setGroup(stack.asRoot(), "ops", "deploy")).status).toBe(200);
  });

  test("without Manage or a policy sets any", async () => {
    expect((await setGroup(stack.asUser("cat"), "ops", "show")).status).toBe(403);
  });
});

describe("what is no level of a group is refused", () => {
  test.for([
    [{ GroupName: "nobody-knows", Level: "show" }, 404, "Unable to find group with name nobody-knows"],
    [{ GroupName: "__proto__", Level: "show" }, 400, "`GroupName` must be the name of an IAM group"],
    [{ GroupName: "ops" }, 400, "`Level` is required"],
    [
      { GroupName: "ops", Level: "show", AllowSsh: true },
      400,
      "`AllowSsh` must be left out with `GroupName`",
    ],
    [
      { GroupName: "ops", Level: "show", AllowSudo: true },
      400,
      "`AllowSudo` must be left out with `GroupName`",
    ],
    [{ GroupName: "a/b", Level: "show" }, 400, "`GroupName` must be the name of an IAM group"],
    [
      { GroupName: "ops", IamUserArn: userArn("cat"), Level: "show" },
      400,
      "`GroupName` must be left out with `IamUserArn`",
    ],
    [{ Level: "show" }, 400, "one of `IamUserArn` and `GroupName` is required"],
  ] as const)("%o", async ([input, status, message]) => {
    const reply = await stack.post(manager, "/SetPermission", { StackId: stackId, ...input });
    expect(reply.status).toBe(status);
    expect(reply.body.message).toContain(message);
  });

  test("a group is a group, whatever objects are called", async () => {
    expect((await setGroup(manager, "constructor", "show")).status).toBe(200);
    expect((await decided("cat", "DescribeStackSummary")).decision).toBe(false);
  });
});
