import { randomUUID } from "node:crypto";
import { BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { indexKeys, keys } from "../../shared/table/keys.ts";
import { writeCursor } from "../../shared/table/list.ts";
import {
  arnOfStack,
  iamRole,
  iamUser,
  ANY_VERSION,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const NOTHING = { Level: "iam_only", AllowSsh: false, AllowSudo: false };
const NO_STACK = "00000000-0000-4000-8000-000000000000";
const crowd = Array.from({ length: 250 }, (_, index) => userArn(`crowd-${String(index).padStart(3, "0")}`));

let stack: TestStack;
let alpha: string;
let beta: string;
let manager: Identity;
let auditor: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  beta = await stack.addStack("beta");
  alpha = await stack.addStack("alpha");
  const describePermissions = "opsworks:DescribePermissions";
  await stack.importAccount({
    UserDetailList: [
      ...["bob", "manager", "reborn"].map((name) => iamUser(name)),
      iamUser("auditor", { policies: { audit: policy("Allow", describePermissions) } }),
      iamUser("alpha-auditor", {
        policies: { audit: policy("Allow", describePermissions, arnOfStack(alpha)) },
      }),
      iamUser("blinded", { policies: { blind: policy("Deny", describePermissions) } }),
    ],
    RoleDetailList: [iamRole("ops", { path: "teams/" })],
  });
  await stack.importAccount({
    UserDetailList: [
      iamUser("denied-by-level", { policies: { audit: policy("Allow", describePermissions) } }),
      iamUser("denied-by-policy", {
        policies: {
          audit: policy("Allow", describePermissions),
          blind: policy("Deny", "*", arnOfStack(beta)),
        },
      }),
    ],
  });
  await stack.grant(beta, userArn("denied-by-level"), { Level: "deny" });
  await stack.grant(alpha, userArn("bob"), { Level: "deploy", AllowSsh: true, AllowSudo: true });
  await stack.grant(beta, userArn("bob"), { Level: "deny" });
  await stack.grant(alpha, userArn("manager"), { Level: "manage" });
  await stack.grant(alpha, userArn("blinded"), { Level: "manage" });
  await stack.grant(alpha, userArn("reborn"), { Level: "manage", AllowSsh: true });
  await stack.importAccount({ UserDetailList: [iamUser("reborn", { id: "AIDAREBORN2" })] });
  manager = stack.asUser("manager");
  auditor = stack.asUser("auditor");
});
afterAll(() => stack.close());

const ask = (as: Identity, input: object) => stack.post(as, "/DescribePermissions", input);

/** Every page of a list, as a client would follow it. */
async function follow(as: Identity, input: object): Promise<Wire[][]> {
  const pages: Wire[][] = [];
  let token: string | undefined;
  do {
    const { status, body } = await ask(as, {
      ...input,
      ...(token === undefined ? {} : { NextToken: token }),
    });
    expect(status).toBe(200);
    pages.push(body.Permissions);
    token = body.NextToken;
  } while (token !== undefined);
  return pages;
}

describe("the permissions on a stack", () => {
  test("are a row for each user and role, those without a grant included, in the order of their ARNs", async () => {
    const { status, body } = await ask(manager, { StackId: alpha });
    expect(status).toBe(200);
    expect(body).toEqual({
      Permissions: [
        { IamUserArn: roleArn("ops"), ...NOTHING },
        { IamUserArn: userArn("alpha-auditor"), ...NOTHING },
        { IamUserArn: userArn("auditor"), ...NOTHING },
        { IamUserArn: userArn("blinded"), ...NOTHING, Level: "manage" },
        { IamUserArn: userArn("bob"), Level: "deploy", AllowSsh: true, AllowSudo: true },
        { IamUserArn: userArn("denied-by-level"), ...NOTHING },
        { IamUserArn: userArn("denied-by-policy"), ...NOTHING },
        { IamUserArn: userArn("manager"), ...NOTHING, Level: "manage" },
        { IamUserArn: userArn("reborn"), ...NOTHING },
      ].map((row) => ({ StackId: alpha, ...row, ...ANY_VERSION })),
    });
  });

  test("show nothing of what an earlier user of the same name was given", async () => {
    expect(await stack.read(keys.grant(alpha, userArn("reborn")))).toMatchObject({ Level: "manage" });
    const { body } = await ask(manager, { StackId: alpha, IamUserArn: userArn("reborn") });
    expect(body.Permissions).toEqual([
      { StackId: alpha, IamUserArn: userArn("reborn"), ...NOTHING, Version: "none" },
    ]);
  });

  test("take manage on that stack, or a policy", async () => {
    expect((await ask(auditor, { StackId: alpha })).status).toBe(200);
    expect((await ask(stack.asUser("alpha-auditor"), { StackId: alpha })).status).toBe(200);
    expect((await ask(stack.asUser("alpha-auditor"), { StackId: beta })).status).toBe(403);
    expect((await ask(manager, { StackId: beta })).status).toBe(403);
    expect(await ask(stack.asUser("bob"), { StackId: alpha })).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: expect.stringContaining("the level `manage` or a policy would"),
      },
    });
    expect((await ask(stack.asUser("blinded"), { StackId: alpha })).status).toBe(403);
  });

  test("are not there for a stack that nobody made", async () => {
    expect(await ask(auditor, { StackId: NO_STACK })).toMatchObject({
      status: 404,
      body: { message: `Unable to find stack with ID ${NO_STACK}` },
    });
    expect((await ask(manager, { StackId: NO_STACK })).status).toBe(403);
  });
});

describe("the permissions of a user", () => {
  test("are a row for each stack, in the order of the stacks' names", async () => {
    const { body } = await ask(auditor, { IamUserArn: userArn("bob") });
    expect(body).toEqual({
      Permissions: [
        { StackId: alpha, IamUserArn: userArn("bob"), Level: "deploy", AllowSsh: true, AllowSudo: true },
        { StackId: beta, IamUserArn: userArn("bob"), ...NOTHING, Level: "deny" },
      ].map((row) => ({ ...row, ...ANY_VERSION })),
    });
  });

  test("are found by a role's ARN with its path, and shown without", async () => {
    const { body } = await ask(auditor, { IamUserArn: roleArn("teams/ops") });
    expect(body.Permissions).toMatchObject([{ IamUserArn: roleArn("ops") }, { IamUserArn: roleArn("ops") }]);
  });

  test("take a policy that allows it on every stack: manage on one is not enough", async () => {
    for (const as of [manager, stack.asUser("alpha-auditor")]) {
      expect(await ask(as, { IamUserArn: userArn("bob") })).toMatchObject({
        status: 403,
        body: {
          message: `User: ${as.userArn} is not authorized to perform: opsworks:DescribePermissions on resource: * (default-deny: nothing allows it: only a policy can)`,
        },
      });
    }
  });

  test("are refused whole to whoever is denied one of the stacks, by level or by policy", async () => {
    for (const name of ["denied-by-level", "denied-by-policy"]) {
      const as = stack.asUser(name);
      expect(await ask(as, { IamUserArn: userArn("bob") })).toMatchObject({
        status: 403,
        body: { message: expect.stringContaining(arnOfStack(beta)) },
      });
      expect((await ask(as, { StackId: beta, IamUserArn: userArn("bob") })).status).toBe(403);
      expect((await ask(as, { StackId: alpha, IamUserArn: userArn("bob") })).status).toBe(200);
    }
  });

  test("take one even where they are one's own", async () => {
    const bob = stack.asUser("bob");
    expect((await ask(bob, { IamUserArn: bob.userArn })).status).toBe(403);
  });

  test("are not there for somebody who was never imported", async () => {
    expect(await ask(auditor, { IamUserArn: userArn("nobody") })).toMatchObject({
      status: 404,
      body: {
        __type: "ResourceNotFoundException",
        message: `Unable to find user with ARN ${userArn("nobody")}`,
      },
    });
  });
});

describe("the permission of one user on one stack", () => {
  test("is exactly one row", async () => {
    const { body } = await ask(manager, { StackId: alpha, IamUserArn: userArn("bob") });
    expect(body).toEqual({
      Permissions: [
        { StackId: alpha, IamUserArn: userArn("bob"), Level: "deploy", AllowSsh: true, AllowSudo: true },
      ].map((row) => ({ ...row, ...ANY_VERSION })),
    });
  });

  test("is one row where nothing was granted, too", async () => {
    const { body } = await ask(manager, { StackId: alpha, IamUserArn: roleArn("ops") });
    expect(body).toEqual({
      Permissions: [{ StackId: alpha, IamUserArn: roleArn("ops"), ...NOTHING, Version: "none" }],
    });
  });

  test("is not there for somebody who was never imported", async () => {
    expect((await ask(manager, { StackId: alpha, IamUserArn: userArn("nobody") })).status).toBe(404);
  });
});

test("neither a stack nor a user is no question", async () => {
  expect(await ask(auditor, {})).toMatchObject({
    status: 400,
    body: { __type: "ValidationException", message: "one of `StackId` and `IamUserArn` is required" },
  });
});

describe("a list of 259", () => {
  beforeAll(async () => {
    await putMany(crowd.map((arn) => ({ ...tinyUser(arn), ...keys.user(arn) })));
    await stack.grant(alpha, crowd[77] ?? "", { Level: "show" });
  });

  test.for([1000, 259, 100, 7])("comes whole in pages of %i, each row once", async (MaxResults) => {
    const pages = await follow(auditor, { StackId: alpha, MaxResults });
    const arns = pages.flat().map(({ IamUserArn }): string => IamUserArn);
    expect(arns).toHaveLength(259);
    expect(new Set(arns).size).toBe(259);
    expect(arns).toEqual(arns.toSorted());
    expect(Math.max(...pages.map((page) => page.length))).toBeLessThanOrEqual(MaxResults);
    expect(pages.flat().find(({ IamUserArn }) => IamUserArn === crowd[77]).Level).toBe("show");
  });

  test("comes whole without pages, its grants read consistently from the table", async () => {
    stack.sent.length = 0;
    const { body } = await ask(auditor, { StackId: alpha });
    expect(body.Permissions).toHaveLength(259);
    expect(body).not.toHaveProperty("NextToken");
    const batches = stack.sent.filter(({ command }) => command === "BatchGetItem");
    for (const { input } of batches) expect(input.RequestItems[stack.tableName].ConsistentRead).toBe(true);
    expect(batches.flatMap(({ input }) => input.RequestItems[stack.tableName].Keys)).toContainEqual(
      keys.grant(alpha, crowd[77] ?? ""),
    );
  });

  test("of stacks comes in pages too", async () => {
    const pages = await follow(auditor, { IamUserArn: userArn("bob"), MaxResults: 1 });
    expect(pages.flat().map(({ StackId }) => StackId)).toEqual([alpha, beta]);
  });

  test("opens with none but its own tokens", async () => {
    const { body } = await ask(auditor, { IamUserArn: userArn("bob"), MaxResults: 1 });
    const forged = [
      body.NextToken,
      "garbage",
      "",
      Buffer.from("[]").toString("base64url"),
      Buffer.from('["users"]').toString("base64url"),
      Buffer.from('["users",{"pk":"USER#x"}]').toString("base64url"),
      writeCursor("users", ""),
      writeCursor("users", "x".repeat(1100)),
    ];
    for (const NextToken of forged) {
      expect(await ask(auditor, { StackId: alpha, NextToken, MaxResults: 10 })).toMatchObject({
        status: 400,
        body: { __type: "ValidationException", message: "`NextToken` is not a token of this list" },
      });
    }
  });

  test.for([0, -1, 1001, 1.5, "10", null])("comes in no pages of %s", async (MaxResults) => {
    expect(await ask(auditor, { StackId: alpha, MaxResults })).toMatchObject({
      status: 400,
      body: { message: "`MaxResults` must be a whole number from 1 to 1000" },
    });
  });
});

describe("a list that an answer cannot hold", () => {
  afterEach(() => stack.obstruct());

  /** The index as if it had that many users; writing them would take longer than all other tests here. */
  function crowdOf(size: number): void {
    let given = 0;
    stack.obstruct(async ({ command, input }, pass) => {
      if (command !== "Query") return pass();
      const count = Math.min(input.Limit, size - given);
      const Items = Array.from({ length: count }, (_, index) => tinyUser(userArn(`one-${given + index}`)));
      given += count;
      return { Items, ...(given < size ? { LastEvaluatedKey: {} } : {}) };
    });
  }

  test("is refused whole, by an error that names the pages", async () => {
    crowdOf(10_001);
    expect(await ask(auditor, { StackId: alpha })).toMatchObject({
      status: 400,
      body: {
        __type: "ValidationException",
        message:
          "the list is too long for one answer: ask in smaller pages, with `MaxResults` and `NextToken`",
      },
    });
  });

  test("has more than ten thousand rows: those are all there", async () => {
    crowdOf(10_000);
    const { status, body } = await ask(auditor, { StackId: alpha });
    expect([status, body.Permissions.length]).toEqual([200, 10_000]);
  });

  test("comes in pages", async () => {
    crowdOf(10_001);
    const { status, body } = await ask(auditor, { StackId: alpha, MaxResults: 1000 });
    expect([status, body.Permissions.length]).toEqual([200, 1000]);
    expect(body.NextToken).toEqual(expect.any(String));
  });
});

function tinyUser(arn: string) {
  return {
    IamUserArn: arn,
    Name: "crowd",
    Kind: "user",
    ProfileId: "p",
    Groups: [],
    Policies: [],
    Tags: {},
    AllowSelfManagement: false,
    CreatedAt: "2026-01-01T00:00:00.000Z",
    Revision: randomUUID(),
    ...indexKeys.users(arn),
  };
}

async function putMany(items: object[]): Promise<void> {
  const { client, name } = stack.table;
  const rest = items.map((Item) => ({ PutRequest: { Item } }));
  const put = async () => {
    for (let batch = rest.splice(0, 25); batch.length > 0; batch = rest.splice(0, 25))
      await client.send(new BatchWriteCommand({ RequestItems: { [name]: batch } }));
  };
  await Promise.all([put(), put(), put(), put()]);
}
