import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { OPERATIONS } from "../../shared/contract/index.ts";
import type { Event } from "../../shared/model/event.ts";
import { indexKeys, keys } from "../../shared/table/keys.ts";
import {
  iamUser,
  openTestStack,
  policy,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";
import { NEW_STACK, writingRequests } from "../setup/writing-requests.ts";

let stack: TestStack;
let as: Identity;
let StackId: string;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  const all = policy("Allow", ["opsworks:*", "stackwarden:*", "iam:PassRole"]);
  await stack.importAccount({
    UserDetailList: [
      iamUser("asks", { policies: { all } }),
      iamUser("auditor", { policies: { all: policy("Allow", "stackwarden:DescribeEvents") } }),
      ...["bob", "manager", "admin"].map((name) => iamUser(name)),
    ],
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
const ask = (who: Identity, input: object) => stack.post(who, "/DescribeEvents", input);
const eventsOf = async (input: object, who = as): Promise<Event[]> => {
  const { status, body } = await ask(who, input);
  expect(status).toBe(200);
  return body.Events;
};
/** Every page of a list, as a client would follow it. */
async function follow(input: object): Promise<Event[][]> {
  const pages: Event[][] = [];
  let NextToken: string | undefined;
  do {
    const { body } = await ask(as, { ...input, ...(NextToken === undefined ? {} : { NextToken }) });
    pages.push(body.Events);
    NextToken = body.NextToken;
  } while (NextToken !== undefined);
  return pages;
}

/** What is written without an event, since it counts for nobody by itself: how far a job or a copy is. */
const NO_CHANGE = /"(?:pk":"SYNC|sk":"CLONE)"/;

describe("every operation that writes", () => {
  // Signing in to the console changes nothing that anybody has.
  const names = OPERATIONS.flatMap(({ name, reads }) =>
    reads || name === "CreateConsoleToken" ? [] : [name],
  );

  test.for(names)(
    "%s writes its event in the transaction of the change, with who, whence and why",
    async (name) => {
      if (name === "ImportUsers") return importIsSeen();
      if (name === "DescribeInstanceAccess") return instanceIsSeen();
      const input = await writingRequests(stack, as, StackId).requests[name]?.();
      const Reason = `${name} ${randomUUID()}`;
      const UserAgent = "auditable/1.0";
      stack.sent.length = 0;
      const reply = await stack.post(as, `/${name}`, { ...input, Reason }, { "user-agent": UserAgent });
      expect(reply.status).toBe(200);
      const writes = stack.writes().map((write) => ({ ...write, text: JSON.stringify(write.input) }));
      expect(writes.length).toBeGreaterThan(0);
      for (const { command, text } of writes.filter(({ text: sent }) => !NO_CHANGE.test(sent))) {
        expect(command).toBe("TransactWriteItems");
        expect(text).toContain('"EVENTS#');
      }
      const found = (await eventsOf({ MaxResults: 20 })).filter((event) => event.Reason === Reason);
      expect(found.length).toBeGreaterThan(0);
      for (const event of found) {
        expect(event).toMatchObject({
          Operation: name,
          Caller: userArn("asks"),
          SourceIp: "127.0.0.1",
          UserAgent,
        });
        expect("Before" in event || "After" in event).toBe(true);
        const about =
          event.StackId === undefined ? { IamUserArn: event.IamUserArn } : { StackId: event.StackId };
        expect(await eventsOf({ ...about, MaxResults: 20 })).toContainEqual(event);
      }
      return undefined;
    },
  );

  async function importIsSeen(): Promise<void> {
    await stack.importAccount({ UserDetailList: [iamUser("imported", { GroupList: [] })] });
    const [event] = await eventsOf({ IamUserArn: userArn("imported") });
    expect(event).toMatchObject({
      Operation: "ImportUsers",
      Caller: "operator",
      After: { UserId: "AIDAIMPORTED" },
    });
    await post("DeleteUserProfile", { IamUserArn: userArn("imported") });
    await stack.importAccount({
      UserDetailList: [iamUser("imported", { Tags: [{ Key: "a", Value: "b" }] })],
    });
    expect((await eventsOf({ IamUserArn: userArn("imported") })).map(({ Operation }) => Operation)).toEqual([
      "ImportUsers",
      "DeleteUserProfile",
      "ImportUsers",
    ]);
  }

  async function instanceIsSeen(): Promise<void> {
    await writingRequests(stack, as, StackId).addInstance();
    const [event] = await eventsOf({ StackId });
    expect(event).toMatchObject({
      Operation: "DescribeInstanceAccess",
      After: { PublicKey: { Exponent: "AQAB" } },
    });
  }
});

test("no event has a secret", async () => {
  const secrets = { Password: "hush-password", SshKey: "hush-key" };
  const CustomCookbooksSource = { Type: "git", Url: "https://example.com", ...secrets };
  const made = (await post("CreateStack", { ...NEW_STACK, CustomCookbooksSource })).body;
  await post("UpdateStack", {
    ...made,
    CustomCookbooksSource: { ...CustomCookbooksSource, Password: "hush-other" },
  });
  const layer = { ...made, Type: "db-master", Name: "db", Shortname: "db" };
  const { LayerId } = (
    await post("CreateLayer", { ...layer, Attributes: { MysqlRootPassword: "hush-root" } })
  ).body;
  await post("UpdateLayer", { LayerId, Attributes: { MysqlRootPassword: "hush-new" } });
  await post("DeleteLayer", { LayerId });
  const InstanceId = await writingRequests(stack, as, StackId).addInstance();
  const { body } = await post("GrantAccess", { InstanceId });
  const text = JSON.stringify([await eventsOf({ StackId: made.StackId }), await eventsOf({ StackId })]);
  expect(text).toContain("MysqlRootPassword");
  expect(text).toContain("GrantAccess");
  expect(text).not.toContain("hush-");
  expect(text).not.toContain(body.TemporaryCredential.Password);
});

describe("the events", () => {
  const levels = ["show", "deploy", "manage", "deny"];
  const setFour = async (name = "bob") => {
    for (const Level of levels) await post("SetPermission", { StackId, IamUserArn: userArn(name), Level });
  };
  const levelsIn = (events: readonly Event[]) => events.map(({ After }) => (After as Wire).Level);

  test("of a stack are the newest first, page by page", async () => {
    await setFour();
    expect(levelsIn(await eventsOf({ StackId }))).toEqual(levels.toReversed());
    const pages = await follow({ StackId, MaxResults: 3 });
    expect(pages.map(({ length }) => length)).toEqual([3, 1]);
    expect(levelsIn(pages.flat())).toEqual(levels.toReversed());
  });

  test("of a user are those of stacks and those of no stack, in one order, page by page", async () => {
    const IamUserArn = userArn(`u${randomUUID().slice(0, 8)}`);
    await post("CreateUserProfile", { IamUserArn });
    await post("SetPermission", { StackId, IamUserArn, Level: "show" });
    await post("UpdateUserProfile", { IamUserArn, AllowSelfManagement: true });
    await post("SetPermission", { StackId, IamUserArn, Level: "deny" });
    await post("DeleteUserProfile", { IamUserArn });
    const whole = [
      "DeleteUserProfile",
      "SetPermission",
      "UpdateUserProfile",
      "SetPermission",
      "CreateUserProfile",
    ];
    expect((await eventsOf({ IamUserArn })).map(({ Operation }) => Operation)).toEqual(whole);
    for (const MaxResults of [1, 2, 3, 4, 5]) {
      const pages = await follow({ IamUserArn, MaxResults });
      expect(pages.flat().map(({ Operation }) => Operation)).toEqual(whole);
      expect(pages).toHaveLength(Math.ceil(whole.length / MaxResults));
    }
  });

  test("of a time are from its start to its end", async () => {
    await setFour();
    const [newest, second, third] = await eventsOf({ StackId });
    const span = { StartTime: third?.Time, EndTime: second?.Time };
    expect(levelsIn(await eventsOf({ StackId, ...span }))).toEqual(["manage", "deploy"]);
    expect(levelsIn(await eventsOf({ IamUserArn: userArn("bob"), ...span }))).toEqual(["manage", "deploy"]);
    expect(await eventsOf(span)).toContainEqual(second);
    expect(await eventsOf(span)).not.toContainEqual(newest);
    expect(await eventsOf({ StackId, EndTime: "2020-01-01T00:00:00Z" })).toEqual([]);
    const reversed = { StartTime: "2026-01-02T00:00:00Z", EndTime: "2026-01-01T00:00:00Z" };
    for (const of of [{ StackId }, { IamUserArn: userArn("bob") }, {}]) {
      expect(await eventsOf({ ...of, ...reversed })).toEqual([]);
      expect(await eventsOf({ ...of, StartTime: "2999-01-01T00:00:00Z" })).toEqual([]);
    }
    expect(await ask(as, { StartTime: "0001-01-01T00:00:00Z" })).toMatchObject({
      status: 400,
      body: { message: "more than 400 days take `MaxResults`, page by page" },
    });
    const NextToken = Buffer.from(JSON.stringify(["events/", "no date"])).toString("base64url");
    expect(await ask(as, { MaxResults: 5, NextToken })).toMatchObject({
      status: 400,
      body: { message: "`NextToken` is not a token of this list" },
    });
    expect(await ask(as, { StackId, StartTime: "yesterday" })).toMatchObject({
      status: 400,
      body: { message: "`StartTime` must be a time, such as `2026-03-01T09:00:00Z`" },
    });
  });

  test("of the account are found day by day, those of long ago too", async () => {
    const at = (Time: string, EventId: string) => {
      const key = keys.stackEvent(StackId, `${Time}#${EventId}`);
      const event = { EventId, Time, Operation: "SetPermission", Caller: "operator", StackId };
      return stack.put({ ...key, ...event, ...indexKeys.dayEvents(Time.slice(0, 10), key.sk) });
    };
    await at("2024-02-28T23:59:59.999Z", "a");
    await at("2024-02-29T00:00:00.000Z", "b");
    await at("2024-06-01T12:00:00.000Z", "c");
    const span = { StartTime: "2024-02-20T00:00:00Z", EndTime: "2024-06-10T00:00:00Z" };
    const ids = (events: readonly Event[]) => events.map(({ EventId }) => EventId);
    expect(ids(await eventsOf(span))).toEqual(["c", "b", "a"]);
    for (const MaxResults of [1, 2, 3])
      expect(ids((await follow({ ...span, MaxResults })).flat())).toEqual(["c", "b", "a"]);
    expect(ids(await eventsOf({ MaxResults: 5 }))).not.toContain("c");
  });

  test("of a deleted stack stay, for whom a policy lets see them", async () => {
    await stack.grant(StackId, userArn("manager"), { Level: "manage" });
    expect((await ask(stack.asUser("manager"), { StackId })).status).toBe(200);
    await post("DeleteStack", { StackId });
    expect((await ask(stack.asUser("manager"), { StackId })).status).toBe(403);
    const [event] = await eventsOf({ StackId }, stack.asUser("auditor"));
    expect(event).toMatchObject({ Operation: "DeleteStack", Before: { Name: "stack" } });
  });
});

describe("who may see them", () => {
  test("of a stack is whoever has Manage there, or a policy", async () => {
    expect((await ask(stack.asUser("bob"), { StackId })).body.message).toContain(
      "stackwarden:DescribeEvents",
    );
    for (const [Level, status] of [
      ["deploy", 403],
      ["manage", 200],
    ] as const) {
      await stack.grant(StackId, userArn("manager"), { Level });
      expect((await ask(stack.asUser("manager"), { StackId })).status).toBe(status);
    }
    for (const name of ["auditor", "admin"])
      expect((await ask(stack.asUser(name), { StackId })).status).toBe(200);
  });

  test.for([{}, { IamUserArn: userArn("bob") }])(
    "of %o takes a policy, whoever the user is",
    async (input) => {
      await stack.grant(StackId, userArn("manager"), { Level: "manage" });
      for (const name of ["bob", "manager"]) expect((await ask(stack.asUser(name), input)).status).toBe(403);
      expect((await ask(stack.asUser("auditor"), { ...input, MaxResults: 5 })).status).toBe(200);
    },
  );

  test("asks for one of both", async () => {
    expect(await ask(as, { StackId, IamUserArn: userArn("bob") })).toMatchObject({
      status: 400,
      body: { message: "`StackId` and `IamUserArn` exclude one another" },
    });
    const { body } = await ask(as, { IamUserArn: userArn("asks"), MaxResults: 1 });
    expect((await ask(as, { StackId, NextToken: body.NextToken ?? "token" })).status).toBe(400);
  });
});
