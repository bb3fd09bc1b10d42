import { randomUUID } from "node:crypto";
import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import { keys } from "../../shared/table/keys.ts";
import { iamUser, openTestStack, policy, stackRoles, type TestStack, userArn } from "../setup/test-stack.ts";
import { NEW_STACK, writingRequests } from "../setup/writing-requests.ts";

let stack: TestStack;
let as: Identity;
let StackId: string;

beforeAll(async () => {
  stack = await openTestStack();
  const all = policy("Allow", ["opsworks:*", "stackwarden:*", "iam:PassRole"]);
  await stack.importAccount({
    UserDetailList: ["asks", "other"].map((name) => iamUser(name, { policies: { all } })),
    RoleDetailList: stackRoles(),
  });
  await stack.addGroups("ops");
  as = stack.asUser("asks");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stack.obstruct();
  StackId = await stack.addStack();
});

const post = (operation: string, input: object) => stack.post(as, `/${operation}`, input);
const requestOf = (name: string) => writingRequests(stack, as, StackId).requests[name]?.();
const newUser = () => writingRequests(stack, as, StackId).newUser();
const addInstance = () => writingRequests(stack, as, StackId).addInstance();

/** An instance's first key stays whatever is asked again, and who signs in once more gets another token for it. */
const WITHOUT = new Set<string>(["DescribeInstanceAccess", "CreateConsoleToken"]);
const names = OPERATIONS.flatMap(({ name, reads }) => (reads || WITHOUT.has(name) ? [] : [name]));

describe.for(names)("%s", (name) => {
  const request = async () => ({ ...(await requestOf(name)), ClientToken: randomUUID() });

  test("with the same token does it once, and answers the same again", async () => {
    const input = await request();
    const first = await post(name, input);
    expect(first.status).toBe(200);
    stack.sent.length = 0;
    const again = await post(name, input);
    expect(stack.writes()).toEqual([]);
    if (name === "GrantAccess")
      expect(again).toMatchObject({ status: 409, body: { __type: "ConflictException" } });
    else expect(again).toMatchObject({ status: 200, body: first.body });
  });

  test("with the token of another request is refused, and does nothing", async () => {
    const ClientToken = randomUUID();
    expect(
      (await post("UpdateMyUserProfile", { SshPublicKey: "", Reason: "first", ClientToken })).status,
    ).toBe(200);
    const input = { ...(await requestOf(name)), ClientToken };
    stack.sent.length = 0;
    expect(await post(name, input)).toMatchObject({
      status: 409,
      body: {
        __type: "ConflictException",
        message: expect.stringContaining(
          "IdempotentParameterMismatch: `ClientToken` was given with another request",
        ),
      },
    });
    expect(stack.writes()).toEqual([]);
  });

  test("keeps what became of it in the transaction that does it", async () => {
    const input = await request();
    stack.sent.length = 0;
    await post(name, input);
    const tokens = stack.writes().filter(({ input: sent }) => JSON.stringify(sent).includes('"TOKEN#'));
    expect(tokens.map(({ command }) => command)).toEqual(["TransactWriteItems"]);
    expect(tokens[0]?.input.TransactItems.length).toBeGreaterThan(1);
    expect(tokens[0]).toBe(stack.writes().at(-1));
  });
});

test("each request whose outcome never comes back is answered by its token", async () => {
  const inputs = new Map<string, object>();
  for (const name of names) {
    const request = writingRequests(stack, as, await stack.addStack()).requests[name];
    inputs.set(name, { ...(await request?.()), ClientToken: name });
  }
  // Done at the first time, and the answer is lost each time.
  const done = new Set<string>();
  stack.obstruct(async (sent, pass) => {
    const token = /"TOKEN#[^"#]+#(\w+)"/.exec(JSON.stringify(sent.input))?.[1];
    if (sent.command !== "TransactWriteItems" || token === undefined) return pass();
    if (!done.has(token)) await pass();
    done.add(token);
    throw Object.assign(new Error("no answer in time"), { name: "TimeoutError" });
  });
  // At once, since each asks for its outcome as long as it has time.
  const statuses = await Promise.all(
    Array.from(inputs, async ([name, input]) => [name, (await post(name, input)).status] as const),
  );
  expect([...done].toSorted()).toEqual(names.toSorted());
  expect(statuses).toEqual(names.map((name) => [name, name === "GrantAccess" ? 409 : 200]));
});

describe("a token", () => {
  test("given twice at the same moment: one does it, both are answered the same", async () => {
    for (const [name, input] of [
      ["CreateStack", NEW_STACK],
      ["RegisterInstance", { StackId, Ec2InstanceId: `i-${StackId.slice(0, 8)}` }],
      ["SetPermission", { StackId, IamUserArn: await newUser(), Level: "deploy" }],
      ["CreateUserProfile", { IamUserArn: userArn(`u${randomUUID().slice(0, 8)}`) }],
    ] as const) {
      const ClientToken = randomUUID();
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => post(name, { ...input, ClientToken, Reason: ClientToken })),
      );
      expect(new Set(replies.map(({ status, body }) => JSON.stringify([status, body]))).size).toBe(1);
      expect(replies[0]?.status).toBe(200);
    }
    const made = (await post("DescribeStacks", {})).body.Stacks.filter(
      (one: { Name: string }) => one.Name === "new",
    );
    expect(made.length).toBeGreaterThan(0);
    expect(await stack.eventsOfStack(StackId)).toHaveLength(2);
  });

  test("is its caller's own", async () => {
    const input = { StackId, Name: "renamed", ClientToken: "ours" };
    await post("UpdateStack", input);
    stack.sent.length = 0;
    expect(
      (await stack.post(stack.asUser("other"), "/UpdateStack", { ...input, Name: "otherwise" })).status,
    ).toBe(200);
    expect(stack.writes()).toHaveLength(1);
  });

  test("of somebody who was made again under the same name is another one's", async () => {
    const input = { SshPublicKey: "", ClientToken: "same-name" };
    await post("UpdateMyUserProfile", input);
    const again = stack.asUser("asks", "AIDAANOTHER");
    expect((await stack.post(again, "/UpdateMyUserProfile", input)).body.message).toContain(
      "IdempotentParameterMismatch",
    );
  });

  test("is kept for a day, and no longer even where it was not deleted yet", async () => {
    const input = { StackId, Name: "renamed", ClientToken: "a-day" };
    await post("UpdateStack", input);
    const key = keys.clientToken(userArn("asks"), "a-day");
    const { ExpiresAt } = await stack.read(key);
    const hours = (ExpiresAt - Date.now() / 1000) / 3600;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThan(24.1);
    await stack.table.client.send(
      new UpdateCommand({
        TableName: stack.tableName,
        Key: key,
        UpdateExpression: "SET ExpiresAt = :past",
        ExpressionAttributeValues: { ":past": Math.floor(Date.now() / 1000) - 1 },
      }),
    );
    expect((await post("UpdateStack", { ...input, Name: "another" })).status).toBe(200);
    expect((await post("DescribeStacks", { StackIds: [StackId] })).body.Stacks[0].Name).toBe("another");
  });

  test("of a change that changes nothing is kept, so that it does nothing later either", async () => {
    const IamUserArn = await newUser();
    const input = { StackId, IamUserArn, Level: "iam_only", ClientToken: "nothing" };
    expect((await post("SetPermission", input)).status).toBe(200);
    await post("SetPermission", { StackId, IamUserArn, Level: "show" });
    expect((await post("SetPermission", input)).status).toBe(200);
    const { body } = await post("DescribePermissions", { StackId, IamUserArn });
    expect(body.Permissions[0].Level).toBe("show");
  });

  test("of a request that failed may be used again", async () => {
    const input = { StackId, IamUserArn: userArn("later"), Level: "show", ClientToken: "failed" };
    expect((await post("SetPermission", input)).status).toBe(404);
    await post("CreateUserProfile", { IamUserArn: userArn("later") });
    expect((await post("SetPermission", input)).status).toBe(200);
  });

  test("keeps no secret: neither what was sent nor a password that was given", async () => {
    const secret = { Type: "git", Url: "https://example.com", Password: "hush-hush" };
    await post("UpdateStack", { StackId, CustomCookbooksSource: secret, ClientToken: "secret" });
    const { body } = await post("GrantAccess", { InstanceId: await addInstance(), ClientToken: "login" });
    const { Password, Username } = body.TemporaryCredential;
    for (const token of ["secret", "login"]) {
      const kept = JSON.stringify(await stack.read(keys.clientToken(userArn("asks"), token)));
      expect(kept).not.toContain("hush-hush");
      expect(kept).not.toContain(Password);
    }
    expect(JSON.stringify(await stack.read(keys.clientToken(userArn("asks"), "login")))).toContain(Username);
  });

  test("that is not given takes neither a read nor a write", async () => {
    stack.sent.length = 0;
    await post("UpdateStack", { StackId, Name: "renamed" });
    expect(JSON.stringify(stack.sent.map(({ input }) => input))).not.toContain("TOKEN#");
    expect(stack.writes()[0]?.input.TransactItems).toHaveLength(3);
  });

  test("is 1 to 64 letters, digits, `-` and `_`", async () => {
    for (const ClientToken of ["", "a b", "x".repeat(65), "a#b", "a\n"]) {
      expect(await post("UpdateStack", { StackId, ClientToken })).toMatchObject({
        status: 400,
        body: { message: "`ClientToken` must have 1 to 64 letters, digits, `-` and `_`" },
      });
    }
  });
});
