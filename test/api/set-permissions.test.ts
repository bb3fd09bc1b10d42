import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import { iamUser, openTestStack, policy, type TestStack, userArn, type Wire } from "../setup/test-stack.ts";

const USERS = Array.from({ length: 31 }, (_, index) => `u${index}`);
const GROUPS = Array.from({ length: 31 }, (_, index) => `g${index}`);

let stack: TestStack;
let stackId: string;
let manager: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({
    UserDetailList: [
      ...["bob", "eve", "deployer", "admin", "other-manager", ...USERS].map((name) => iamUser(name)),
      iamUser("manager", { GroupList: ["own"] }),
      iamUser("by-policy", { policies: { set: policy("Allow", "opsworks:SetPermission") } }),
    ],
    GroupDetailList: [{ GroupName: "own" }],
  });
  await stack.addGroups("own", "ops", "web", ...GROUPS);
  manager = stack.asUser("manager");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stack.obstruct();
  stackId = await stack.addStack();
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
  stack.sent.length = 0;
});

const entry = (name: string, change: object = {}) => ({ IamUserArn: userArn(name), ...change });
const set = (as: Identity, input: object) =>
  stack.post(as, "/SetPermissions", { StackId: stackId, ...input });
const setOne = (input: object) =>
  stack.post(stack.asUser("admin"), "/SetPermission", { StackId: stackId, ...input });

/** What the stack's page shows: of users by their names, of groups by theirs. */
async function page() {
  const { body } = await stack.post(stack.asUser("admin"), "/DescribePermissions", { StackId: stackId });
  const users = new Map<string, Wire>(
    body.Permissions.map((row: Wire) => [row.IamUserArn.split("/").at(-1), row]),
  );
  const groups = new Map<string, Wire>(
    (body.GroupPermissions ?? []).map((row: Wire) => [row.GroupName, row]),
  );
  return { users, groups };
}

/** That nothing was written: neither a level nor an event. */
async function expectNothing(): Promise<void> {
  expect(await stack.eventsOfStack(stackId)).toEqual([]);
  const { users, groups } = await page();
  expect([...users.values()].filter(({ Level }) => Level !== "iam_only")).toHaveLength(1);
  expect([...groups.keys()]).toEqual([]);
}

describe("several permissions", () => {
  test("of users and groups are set at once, in one transaction, with an event each and the reason", async () => {
    const reply = await set(manager, {
      Permissions: [
        entry("bob", { Level: "deploy", AllowSsh: true, AllowSudo: true }),
        entry("eve", { Level: "deny" }),
      ],
      GroupPermissions: [{ GroupName: "OPS", Level: "show" }],
      Reason: "the new team",
    });
    expect(reply).toMatchObject({ status: 200, body: {} });
    expect(stack.writes().filter(({ command }) => command === "TransactWriteItems").length).toBe(2);
    const { users, groups } = await page();
    expect(users.get("bob")).toMatchObject({ Level: "deploy", AllowSsh: true, AllowSudo: true });
    expect(users.get("eve")).toMatchObject({ Level: "deny", AllowSsh: false });
    expect(groups.get("ops")).toMatchObject({ Level: "show" });
    const events = await stack.eventsOfStack(stackId);
    expect(events).toHaveLength(3);
    for (const event of events) {
      expect(event).toMatchObject({
        Operation: "SetPermissions",
        Reason: "the new team",
        SourceIp: expect.any(String),
      });
    }
    expect(new Set(events.map(({ IamUserArn, GroupName }) => GroupName ?? IamUserArn))).toEqual(
      new Set([userArn("bob"), userArn("eve"), "ops"]),
    );
    expect((await stack.read(keys.user(userArn("bob")))).UnixId).toBeGreaterThanOrEqual(2000);
  });

  test("may be thirty users and seven groups", async () => {
    const reply = await set(manager, {
      Permissions: USERS.slice(1).map((name) => entry(name, { Level: "show", AllowSsh: true })),
      GroupPermissions: GROUPS.slice(0, 7).map((GroupName) => ({ GroupName, Level: "show" })),
    });
    expect(reply).toMatchObject({ status: 200 });
    const items = stack.writes().map(({ input }) => input.TransactItems?.length ?? 0);
    expect(Math.max(...items)).toBe(99);
    expect(await stack.eventsOfStack(stackId)).toHaveLength(37);
  });

  test("may be thirty groups and twenty-two users", async () => {
    const reply = await set(manager, {
      Permissions: USERS.slice(0, 22).map((name) => entry(name, { Level: "show" })),
      GroupPermissions: GROUPS.slice(0, 30).map((GroupName) => ({ GroupName, Level: "show" })),
    });
    expect(reply).toMatchObject({ status: 200 });
    expect((await page()).groups.size).toBe(30);
  });

  test("that are so already write nothing", async () => {
    const input = {
      Permissions: [entry("bob", { Level: "show" })],
      GroupPermissions: [{ GroupName: "ops", Level: "show" }],
    };
    await set(manager, input);
    stack.sent.length = 0;
    expect((await set(manager, input)).status).toBe(200);
    expect(stack.writes()).toEqual([]);
    expect(await stack.eventsOfStack(stackId)).toHaveLength(2);
  });
});

describe("one entry that cannot be", () => {
  const fine = entry("bob", { Level: "show" });

  test.for([
    [
      [fine, entry("manager", { Level: "show" })],
      400,
      "`Permissions.1.Level`: Unable to change own permission level.",
    ],
    [
      [fine, entry("eve", { AllowSudo: true })],
      400,
      "`Permissions.1.AllowSudo`: `AllowSudo` takes `AllowSsh`",
    ],
    [
      [fine, entry("nobody", { Level: "show" })],
      404,
      "`Permissions.1.IamUserArn`: Unable to find user with ARN",
    ],
    [[fine, entry("eve", { Level: "boss" })], 400, "`Permissions.1.Level` must be one of `deny`"],
    [[fine, fine], 400, "`Permissions.1.IamUserArn` must not be named twice"],
    [[fine, entry("eve", { Level: "show", IfVersion: "other" })], 409, "`Permissions.1`: the permission of "],
  ] as const)("refuses the whole, and is named: %o", async ([Permissions, status, message]) => {
    const reply = await set(manager, {
      Permissions,
      GroupPermissions: [{ GroupName: "ops", Level: "show" }],
    });
    expect(reply.status).toBe(status);
    expect(reply.body.message).toContain(message);
    await expectNothing();
  });

  test.for([
    [
      [
        { GroupName: "ops", Level: "show" },
        { GroupName: "own", Level: "show" },
      ],
      400,
      "`GroupPermissions.1`: Unable to change the permission level of a group you are in: own.",
    ],
    [
      [
        { GroupName: "ops", Level: "show" },
        { GroupName: "none", Level: "show" },
      ],
      404,
      "`GroupPermissions.1`: Unable to find group with name none",
    ],
    [
      [
        { GroupName: "ops", Level: "show" },
        { GroupName: "Ops", Level: "deny" },
      ],
      400,
      "`GroupPermissions.1.GroupName` must not be named twice",
    ],
    [
      [{ GroupName: "ops", Level: "show", IfVersion: "other" }],
      409,
      "`GroupPermissions.0`: the level of group ops was changed meanwhile: read it again",
    ],
  ] as const)(
    "of groups refuses the whole, and is named: %o",
    async ([GroupPermissions, status, message]) => {
      const reply = await set(manager, { Permissions: [fine], GroupPermissions });
      expect(reply.status).toBe(status);
      expect(reply.body.message).toContain(message);
      await expectNothing();
    },
  );

  test("may be one too many, or none at all", async () => {
    const users = USERS.map((name) => entry(name, { Level: "show" }));
    const groups = GROUPS.map((GroupName) => ({ GroupName, Level: "show" }));
    for (const [input, message] of [
      [{ Permissions: users }, "`Permissions` must name at most 30 users"],
      [{ GroupPermissions: groups }, "`GroupPermissions` must name at most 30 groups"],
      [{ Permissions: users.slice(1), GroupPermissions: groups.slice(0, 8) }, "at most 97 fit in at once"],
      [{ Permissions: [] }, "`Permissions` or `GroupPermissions` must name somebody"],
      [{}, "`Permissions` or `GroupPermissions` must name somebody"],
    ] as const) {
      const reply = await set(manager, input);
      expect(reply.status).toBe(400);
      expect(reply.body.message).toContain(message);
    }
    await expectNothing();
  });
});

describe("who may", () => {
  test("is who may set a permission: by level or by policy", async () => {
    const Permissions = [entry("bob", { Level: "show" })];
    expect((await set(stack.asUser("by-policy"), { Permissions })).status).toBe(200);
    expect(await set(stack.asUser("deployer"), { Permissions })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("opsworks:SetPermission on resource") },
    });
  });

  test("changes their own SSH/RDP together with others' levels", async () => {
    const Permissions = [entry("manager", { AllowSsh: true }), entry("bob", { Level: "show" })];
    expect((await set(manager, { Permissions })).status).toBe(200);
    expect((await page()).users.get("manager")).toMatchObject({ Level: "manage", AllowSsh: true });
  });

  test("loses it in the same moment to at most one of two who take Manage from one another", async () => {
    await stack.grant(stackId, userArn("other-manager"), { Level: "manage" });
    const take = (as: string, from: string) =>
      set(stack.asUser(as), {
        Permissions: [entry(from, { Level: "show" }), entry("bob", { Level: "deploy" })],
      });
    const replies = await Promise.all([take("manager", "other-manager"), take("other-manager", "manager")]);
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 403]));
    const { users } = await page();
    const levels = ["manager", "other-manager"].map((name): unknown => users.get(name).Level);
    expect(new Set(levels)).toEqual(new Set(["manage", "show"]));
  });
});

describe("what somebody else changes in between", () => {
  /** Has this happen once, just before the transaction. */
  function meanwhile(act: () => Promise<unknown>): void {
    let isDone = false;
    stack.obstruct(async ({ command, input }, pass) => {
      const isOurs = command === "TransactWriteItems" && JSON.stringify(input).includes('"SetPermissions"');
      if (isOurs && !isDone) {
        isDone = true;
        await act();
      }
      return pass();
    });
  }

  test("without a version is written over, after reading it again", async () => {
    meanwhile(() => setOne(entry("eve", { Level: "deny", AllowSsh: true })));
    const Permissions = [entry("bob", { Level: "show" }), entry("eve", { Level: "show" })];
    expect((await set(manager, { Permissions })).status).toBe(200);
    expect((await page()).users.get("eve")).toMatchObject({ Level: "show", AllowSsh: true });
  });

  test("with its version refuses the whole and says whose it was, without trying again", async () => {
    await setOne(entry("eve", { Level: "deploy" }));
    const { users } = await page();
    meanwhile(() => setOne(entry("eve", { Level: "deny" })));
    const Permissions = [
      entry("bob", { Level: "show", IfVersion: "none" }),
      entry("eve", { Level: "show", IfVersion: users.get("eve").Version }),
    ];
    expect(await set(manager, { Permissions })).toMatchObject({
      status: 409,
      body: {
        __type: "ConflictException",
        message: `\`Permissions.1\`: the permission of ${userArn("eve")} was changed meanwhile: read it again`,
      },
    });
    const after = (await page()).users;
    expect([after.get("bob").Level, after.get("eve").Level]).toEqual(["iam_only", "deny"]);
  });

  test("of a group with its version refuses the whole; of another group, it does not", async () => {
    await setOne({ GroupName: "ops", Level: "show" });
    const { Version } = (await page()).groups.get("ops");
    meanwhile(() => setOne({ GroupName: "web", Level: "show" }));
    const change = { GroupName: "ops", Level: "deploy", IfVersion: Version };
    expect((await set(manager, { GroupPermissions: [change] })).status).toBe(200);
    expect(await set(manager, { GroupPermissions: [{ ...change, Level: "deny" }] })).toMatchObject({
      status: 409,
      body: { message: "`GroupPermissions.0`: the level of group ops was changed meanwhile: read it again" },
    });
    const { groups } = await page();
    expect([groups.get("ops").Level, groups.get("web").Level]).toEqual(["deploy", "show"]);
  });

  test("a user who was deleted refuses the whole, and is named", async () => {
    await stack.post(stack.asRoot(), "/CreateUserProfile", entry("leaver"));
    meanwhile(() => stack.post(stack.asRoot(), "/DeleteUserProfile", entry("leaver")));
    const Permissions = [entry("bob", { Level: "show" }), entry("leaver", { Level: "show" })];
    expect(await set(manager, { Permissions })).toMatchObject({
      status: 404,
      body: { message: `\`Permissions.1\`: Unable to find user with ARN ${userArn("leaver")}` },
    });
    await expectNothing();
  });
});
