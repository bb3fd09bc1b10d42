import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import type { Permission } from "../../shared/model/grant.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  arnOfStack,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const NO_STACK = "00000000-0000-4000-8000-000000000000";
const IAM_ONLY = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

let stack: TestStack;
let stackId: string;
let manager: Identity;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  const setPermission = "opsworks:SetPermission";
  await stack.importAccount({
    UserDetailList: [
      ...["bob", "manager", "deployer", "admin"].map((name) => iamUser(name)),
      iamUser("by-policy", { policies: { set: policy("Allow", setPermission) } }),
      iamUser("denied", { policies: { "no-set": policy("Deny", setPermission) } }),
    ],
    RoleDetailList: [iamRole("ops")],
  });
  manager = stack.asUser("manager");
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stackId = await stack.addStack();
  await stack.grant(stackId, userArn("manager"), { Level: "manage" });
  stack.sent.length = 0;
});
afterEach(() => stack.obstruct());

const set = (as: Identity, change: object, name = "bob") =>
  stack.post(as, "/SetPermission", { StackId: stackId, IamUserArn: userArn(name), ...change });

/** What DescribePermissions says that a user holds. */
async function held(arn = userArn("bob")) {
  const { body } = await stack.post(admin, "/DescribePermissions", { StackId: stackId, IamUserArn: arn });
  const [{ StackId, IamUserArn, Version: _version, ...permission }] = body.Permissions;
  expect([StackId, IamUserArn]).toEqual([stackId, arn]);
  return permission;
}

describe("setting a permission", () => {
  test("answers with an empty object, and the permission holds", async () => {
    expect(await set(manager, { Level: "deploy", AllowSsh: true, AllowSudo: true })).toMatchObject({
      status: 200,
      body: {},
    });
    expect(await held()).toEqual({ Level: "deploy", AllowSsh: true, AllowSudo: true });
  });

  test.for(["deny", "iam_only", "show", "deploy", "manage"])("takes the level %s", async (Level) => {
    await set(manager, { Level: Level === "show" ? "deploy" : "show" });
    expect((await set(manager, { Level })).status).toBe(200);
    expect(await held()).toEqual({ ...IAM_ONLY, Level });
  });

  test("leaves what is left out as it is", async () => {
    await set(manager, { Level: "show" });
    await set(manager, { AllowSsh: true });
    expect(await held()).toEqual({ Level: "show", AllowSsh: true, AllowSudo: false });
    await set(manager, { AllowSudo: true });
    expect(await held()).toEqual({ Level: "show", AllowSsh: true, AllowSudo: true });
    await set(manager, { Level: "deny" });
    expect(await held()).toEqual({ Level: "deny", AllowSsh: true, AllowSudo: true });
  });

  test("holds on that stack alone", async () => {
    const other = await stack.addStack();
    await set(manager, { Level: "deploy" });
    const { body } = await stack.post(admin, "/DescribePermissions", {
      StackId: other,
      IamUserArn: userArn("bob"),
    });
    expect(body.Permissions[0].Level).toBe("iam_only");
  });

  test("works on a role, whatever its path", async () => {
    const change = { StackId: stackId, IamUserArn: roleArn("teams/ops"), Level: "show" };
    expect((await stack.post(manager, "/SetPermission", change)).status).toBe(200);
    expect(await held(roleArn("ops"))).toMatchObject({ Level: "show" });
  });

  test("gives nobody sudo without SSH", async () => {
    for (const change of [{ AllowSudo: true }, { AllowSsh: false, AllowSudo: true }]) {
      expect(await set(manager, change)).toMatchObject({
        status: 400,
        body: {
          __type: "ValidationException",
          message: "`AllowSudo` takes `AllowSsh`: sudo/admin comes with SSH/RDP only",
        },
      });
    }
    expect(await held()).toEqual(IAM_ONLY);
  });

  test("turns sudo off with SSH", async () => {
    await set(manager, { AllowSsh: true, AllowSudo: true });
    await set(manager, { AllowSsh: false });
    expect(await held()).toEqual(IAM_ONLY);
    await set(manager, { AllowSsh: true });
    expect(await held()).toEqual({ ...IAM_ONLY, AllowSsh: true });
  });

  test("leaves an item without anything in it when nothing is left, and only for a while", async () => {
    const item = () => stack.read(keys.grant(stackId, userArn("bob")));
    await set(manager, { Level: "show", AllowSsh: true });
    expect(await item()).toMatchObject({ Level: "show", AllowSsh: true });
    await set(manager, { Level: "iam_only" });
    expect(await item()).toMatchObject({ Level: "iam_only", AllowSsh: true });
    await set(manager, { AllowSsh: false });
    expect(await item()).toMatchObject({ ...IAM_ONLY, ExpiresAt: expect.any(Number) });
  });

  test.for([
    {},
    { Level: "deploy" },
    { AllowSsh: true },
    { Level: "deploy", AllowSsh: true, AllowSudo: false },
  ])("to what it is already (%o) writes nothing, not even an event", async (change) => {
    await stack.grant(stackId, userArn("bob"), { Level: "deploy", AllowSsh: true });
    expect(await set(manager, change)).toMatchObject({ status: 200, body: {} });
    expect(stack.writes()).toEqual([]);
    expect(await stack.eventsOfStack(stackId)).toEqual([]);
  });

  test("to iam_only for a user who holds nothing writes nothing", async () => {
    expect((await set(manager, { Level: "iam_only" })).status).toBe(200);
    expect(stack.writes()).toEqual([]);
  });
});

describe("one's own permission", () => {
  test.for(["manager", "admin", "by-policy"])("has a level that %s cannot change", async (name) => {
    for (const Level of ["manage", "iam_only"]) {
      expect(await set(stack.asUser(name), { Level, AllowSsh: true }, name)).toMatchObject({
        status: 400,
        body: {
          __type: "ValidationException",
          message: "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
        },
      });
    }
    expect(stack.writes()).toEqual([]);
  });

  test("has a level that a session cannot change for its role", async () => {
    await stack.grant(stackId, roleArn("ops"), { Level: "manage" });
    const change = { StackId: stackId, IamUserArn: roleArn("ops"), Level: "show" };
    expect((await stack.post(stack.asRole("ops", "bob"), "/SetPermission", change)).status).toBe(400);
    expect(await held(roleArn("ops"))).toMatchObject({ Level: "manage" });
  });

  test("has SSH and sudo that one may change", async () => {
    expect((await set(manager, { AllowSsh: true, AllowSudo: true }, "manager")).status).toBe(200);
    expect(await held(userArn("manager"))).toEqual({ Level: "manage", AllowSsh: true, AllowSudo: true });
  });
});

describe("what is not there", () => {
  test("is a user who was never imported", async () => {
    expect(await set(manager, { Level: "show" }, "nobody")).toMatchObject({
      status: 404,
      body: {
        __type: "ResourceNotFoundException",
        message: `Unable to find user with ARN ${userArn("nobody")}`,
      },
    });
  });

  test("is a stack that nobody made, for whoever may know", async () => {
    expect(await set(admin, { StackId: NO_STACK, Level: "show" })).toMatchObject({
      status: 404,
      body: { __type: "ResourceNotFoundException", message: `Unable to find stack with ID ${NO_STACK}` },
    });
    expect((await set(manager, { StackId: NO_STACK, Level: "show" })).status).toBe(403);
  });
});

describe("who may set permissions", () => {
  test.for([
    ["the level manage", "manager"],
    ["a policy that allows it", "by-policy"],
    ["the deployment's list of administrators", "admin"],
  ] as const)("a user with %s may", async ([, name]) => {
    expect((await set(stack.asUser(name), { Level: "show" })).status).toBe(200);
  });

  test("a user with the level deploy may not", async () => {
    await stack.grant(stackId, userArn("deployer"), { Level: "deploy" });
    expect(await set(stack.asUser("deployer"), { Level: "show" })).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: `User: ${userArn("deployer")} is not authorized to perform: opsworks:SetPermission on resource: ${arnOfStack(stackId)} (default-deny: nothing allows it: the level \`manage\` or a policy would)`,
      },
    });
    expect(stack.writes()).toEqual([]);
  });

  test("manage on another stack is not enough", async () => {
    const other = await stack.addStack();
    expect((await set(manager, { StackId: other, Level: "show" })).status).toBe(403);
  });

  test("manage is not enough where a policy denies it", async () => {
    await stack.grant(stackId, userArn("denied"), { Level: "manage" });
    expect(await set(stack.asUser("denied"), { Level: "show" })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("policy-deny: policy `no-set`") },
    });
  });

  test("neither a policy nor the deployment's parameter is enough where the level is deny", async () => {
    for (const name of ["by-policy", "admin"]) {
      await stack.grant(stackId, userArn(name), { Level: "deny" });
      expect((await set(stack.asUser(name), { Level: "show" })).status).toBe(403);
    }
  });
});

describe("the trail", () => {
  test("has one event for a change: who, to whom, from where, before and after", async () => {
    await set(manager, { Level: "show" });
    await set(admin, { Level: "deny", AllowSsh: true });
    const [first, second, ...others] = await stack.eventsOfStack(stackId);
    expect(others).toEqual([]);
    expect(first).toMatchObject({
      Operation: "SetPermission",
      Caller: userArn("manager"),
      SourceIp: expect.stringContaining("127.0.0.1"),
      StackId: stackId,
      IamUserArn: userArn("bob"),
      Before: IAM_ONLY,
      After: { ...IAM_ONLY, Level: "show" },
    });
    expect(Math.abs(Date.parse(first?.Time ?? "") - Date.now())).toBeLessThan(60_000);
    expect(second).toMatchObject({
      Caller: userArn("admin"),
      Before: { ...IAM_ONLY, Level: "show" },
      After: { Level: "deny", AllowSsh: true, AllowSudo: false },
    });
  });

  test("names the session of a role, not the role alone", async () => {
    await stack.grant(stackId, roleArn("ops"), { Level: "manage" });
    const session = stack.asRole("ops", "pipeline-7");
    await set(session, { Level: "show" });
    expect(await stack.eventsOfStack(stackId)).toMatchObject([{ Caller: session.userArn }]);
  });

  test("is found by the user too", async () => {
    await set(manager, { Level: "deploy" });
    const events = await stack.eventsOfUser(userArn("bob"));
    expect(events.at(-1)).toMatchObject({ StackId: stackId, After: { Level: "deploy" } });
  });

  test("is written in the same transaction as the grant, which the user, the stack and the caller's own must outlive", async () => {
    await set(manager, { Level: "show" });
    expect(stack.writes().map(({ command }) => command)).toEqual(["TransactWriteItems"]);
    const items: Wire[] = stack.writes()[0]?.input.TransactItems;
    expect(items.flatMap((item) => Object.keys(item))).toEqual([
      "ConditionCheck",
      "ConditionCheck",
      "ConditionCheck",
      "Put",
      "Put",
      "Put",
    ]);
    expect(items[0].ConditionCheck.Key).toEqual(keys.user(userArn("bob")));
    expect(items[1].ConditionCheck.Key).toEqual(keys.stack(stackId));
    expect(items[2].ConditionCheck.Key).toEqual(keys.grant(stackId, userArn("manager")));
    expect(items[3].Put.Item).toMatchObject(keys.grants(stackId));
    expect(items[4].Put.Item).toMatchObject(keys.grant(stackId, userArn("bob")));
    expect(items[5].Put).toMatchObject({
      Item: { pk: `EVENTS#STACK#${stackId}` },
      ConditionExpression: "attribute_not_exists(pk)",
    });
  });

  test("has no event of what was refused", async () => {
    await set(stack.asUser("deployer"), { Level: "show" });
    await set(manager, { AllowSudo: true });
    await set(manager, { Level: "show" }, "nobody");
    expect(await stack.eventsOfStack(stackId)).toEqual([]);
  });
});

describe("the managers of a stack", () => {
  test("are whoever an administrator says, the last one too", async () => {
    expect((await set(admin, { Level: "show" }, "manager")).status).toBe(200);
    expect((await held(userArn("manager"))).Level).toBe("show");
  });

  test("stay at least one as long as managers alone set levels", async () => {
    expect((await set(manager, { Level: "show" }, "manager")).status).toBe(400);
    await set(manager, { Level: "manage" });
    expect((await set(stack.asUser("bob"), { Level: "iam_only" }, "manager")).status).toBe(200);
    expect((await set(stack.asUser("bob"), { Level: "show" }, "bob")).status).toBe(400);
    expect((await held()).Level).toBe("manage");
  });

  test("are the only ones who give levels by their level, so nobody gives one above their own", async () => {
    for (const Level of ["deny", "iam_only", "show", "deploy"]) {
      await stack.grant(stackId, userArn("deployer"), { Level: Level as Permission["Level"] });
      for (const given of ["deny", "iam_only", "show", "deploy", "manage"])
        expect((await set(stack.asUser("deployer"), { Level: given })).status).toBe(403);
    }
    expect(await held()).toEqual(IAM_ONLY);
    expect((await set(stack.asUser("by-policy"), { Level: "manage" })).status).toBe(200);
  });
});

describe("at the same time", () => {
  test("two managers cannot take Manage from one another, so one always stays", async () => {
    const pair = ["manager", "bob"];
    for (let round = 0; round < 8; round += 1) {
      for (const name of pair) await stack.grant(stackId, userArn(name), { Level: "manage" });
      // Both have been let in before either writes.
      let arrived = 0;
      stack.obstruct(async ({ command }, pass) => {
        if (command === "TransactWriteItems" && (arrived += 1) <= 2)
          while (arrived < 2) await new Promise((resolve) => setTimeout(resolve, 5));
        return pass();
      });
      const replies = await Promise.all([
        set(stack.asUser("manager"), { Level: "show" }, "bob"),
        set(stack.asUser("bob"), { Level: "show" }, "manager"),
      ]);
      stack.obstruct();
      expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200, 403]));
      const levels = await Promise.all(pair.map(async (name) => (await held(userArn(name))).Level));
      expect(new Set(levels)).toEqual(new Set(["manage", "show"]));
    }
  });

  test("twenty changes of one grant are all done, one after the other", async () => {
    const changes = Array.from({ length: 20 }, (_, index) =>
      index % 2 === 0 ? { Level: ["show", "deploy", "manage"][index % 3] } : { AllowSsh: index % 4 === 1 },
    );
    const replies = await Promise.all(changes.map((change) => set(manager, change)));
    expect(replies.map(({ status }) => status)).toEqual(changes.map(() => 200));

    // Each event goes on from where the one before it ended, so no change has overwritten another.
    const events = await stack.eventsOfStack(stackId);
    const states = [IAM_ONLY, ...events.map(({ After }) => After)];
    expect(events.map(({ Before }) => Before)).toEqual(states.slice(0, -1));
    expect(await held()).toEqual(states.at(-1));
    for (const { Before, After } of events) expect(After).not.toEqual(Before);
    for (const change of changes) expect(states).toContainEqual(expect.objectContaining(change));
  });

  test("a first grant by two managers is written once for each", async () => {
    const replies = await Promise.all([set(manager, { Level: "show" }), set(admin, { AllowSsh: true })]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200]);
    expect(await held()).toEqual({ Level: "show", AllowSsh: true, AllowSudo: false });
    expect(await stack.eventsOfStack(stackId)).toHaveLength(2);
  });

  test("a user who is deleted between the reading and the writing is not there", async () => {
    const short = iamUser("short-lived");
    await stack.importAccount({ UserDetailList: [short] });
    stack.obstruct(async ({ command }, pass) => {
      if (command === "TransactWriteItems") {
        const Key = keys.user(short.Arn);
        await stack.table.client.send(new DeleteCommand({ TableName: stack.tableName, Key }));
      }
      return pass();
    });
    expect(await set(manager, { Level: "show" }, "short-lived")).toMatchObject({
      status: 404,
      body: { message: `Unable to find user with ARN ${short.Arn}` },
    });
    expect(await stack.read(keys.grant(stackId, short.Arn))).toBeUndefined();
    expect(await stack.eventsOfStack(stackId)).toEqual([]);
  });

  test("a stack that is deleted between the reading and the writing is not there", async () => {
    stack.obstruct(async ({ command }, pass) => {
      if (command === "TransactWriteItems") {
        const Key = keys.stack(stackId);
        await stack.table.client.send(new DeleteCommand({ TableName: stack.tableName, Key }));
      }
      return pass();
    });
    expect(await set(manager, { Level: "show" })).toMatchObject({
      status: 404,
      body: { message: `Unable to find stack with ID ${stackId}` },
    });
    expect(await stack.eventsOfStack(stackId)).toEqual([]);
  });

  /** DynamoDB Local never answers so. */
  const cancelled = (...codes: string[]) =>
    new TransactionCanceledException({
      message: "Transaction cancelled",
      $metadata: {},
      CancellationReasons: codes.map((Code) => ({ Code })),
    });

  test("a conflict with another transaction is tried again, on what is there then", async () => {
    let conflicts = 0;
    stack.obstruct(async ({ command }, pass) => {
      if (command !== "TransactWriteItems" || conflicts === 2) return pass();
      conflicts += 1;
      await stack.grant(stackId, userArn("bob"), { AllowSsh: conflicts === 1 });
      throw cancelled("None", "None", "TransactionConflict", "None");
    });
    expect((await set(manager, { Level: "show" })).status).toBe(200);
    expect(await held()).toEqual({ ...IAM_ONLY, Level: "show" });
    expect(await stack.eventsOfStack(stackId)).toMatchObject([{ Before: IAM_ONLY }]);
  });

  test("a conflict that does not end is told as such", async () => {
    stack.obstruct(({ command }, pass) => {
      if (command === "TransactWriteItems") throw cancelled("TransactionConflict", "None", "None", "None");
      return pass();
    });
    expect(await set(manager, { Level: "show" })).toMatchObject({
      status: 409,
      body: {
        __type: "ConflictException",
        message: "somebody else is changing the same thing, try again",
      },
    });
    expect(stack.writes().length).toBeGreaterThan(1);
    expect(await held()).toEqual(IAM_ONLY);
  });

  test("a table that is busy is asked again a few times, and then told as such", async () => {
    stack.obstruct(({ command }, pass) => {
      if (command === "TransactWriteItems") throw cancelled("None", "None", "ThrottlingError", "None");
      return pass();
    });
    expect(await set(manager, { Level: "show" })).toMatchObject({
      status: 429,
      body: { __type: "ThrottlingException" },
    });
    expect(stack.writes()).toHaveLength(3);
  });
});
