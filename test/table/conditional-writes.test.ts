import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NO_GRANT, permissionOf } from "../../shared/model/grant.ts";
import type { Event } from "../../shared/model/event.ts";
import type { User } from "../../shared/model/user.ts";
import { appendEvent } from "../../shared/table/events.ts";
import { readGrant, setGrant } from "../../shared/table/grants.ts";
import { keys } from "../../shared/table/keys.ts";
import { newStack, readStack, stackMustExist } from "../../shared/table/stacks.ts";
import type { Table } from "../../shared/table/table.ts";
import { putUser, readUser, userMustBe } from "../../shared/table/users.ts";
import { transact, type Write } from "../../shared/table/write.ts";
import { iamUser, openTestStack, type TestStack, userArn } from "../setup/test-stack.ts";

const BOB = userArn("bob");

let stack: TestStack;
let table: Table;
let stackId: string;
let bob: User;

beforeAll(async () => {
  stack = await openTestStack();
  table = stack.table;
});
afterAll(() => stack.close());
beforeEach(async () => {
  stackId = await stack.addStack();
  await stack.importAccount({ UserDetailList: [iamUser("bob", { id: `AIDA${randomUUID()}` })] });
  bob = await user();
});

async function user(): Promise<User> {
  const read = readUser(await stack.read(keys.user(BOB)));
  if (!read) throw new Error("bob is not there");
  return read;
}
const grant = async () => readGrant(await stack.read(keys.grant(stackId, BOB)));
const permission = (Level: "show" | "deploy" | "iam_only") => ({ Level, AllowSsh: false, AllowSudo: false });
const write = (...writes: (Write | undefined)[]) =>
  transact(
    table,
    writes.filter((one) => one !== undefined),
  );
const event = (change: Partial<Event> = {}): Event => ({
  EventId: randomUUID(),
  Time: new Date().toISOString(),
  Operation: "SetPermission",
  Caller: userArn("manager"),
  StackId: stackId,
  IamUserArn: BOB,
  ...change,
});

describe("a grant", () => {
  test("is written once by two who saw none", async () => {
    await write(setGrant(table, bob, stackId, permission("show"), undefined));
    await expect(write(setGrant(table, bob, stackId, permission("deploy"), undefined))).rejects.toMatchObject(
      {
        name: "ConflictException",
        message: `the permission of ${BOB} was changed by somebody else meanwhile, try again`,
      },
    );
    expect(await grant()).toMatchObject({ Level: "show" });
  });

  test("is replaced only as it was read", async () => {
    await write(setGrant(table, bob, stackId, permission("show"), undefined));
    const seen = await grant();
    await write(setGrant(table, bob, stackId, permission("deploy"), seen));
    await expect(write(setGrant(table, bob, stackId, permission("iam_only"), seen))).rejects.toMatchObject({
      name: "ConflictException",
    });
    expect(await grant()).toMatchObject({ Level: "deploy" });
  });

  test("is as good as removed when nothing is left of it, as it was read, and is gone in a while", async () => {
    await write(setGrant(table, bob, stackId, permission("show"), undefined));
    const count = await stack.countGrantsOf(BOB);
    await write(setGrant(table, bob, stackId, permission("iam_only"), await grant()));
    expect(permissionOf(bob, await grant())).toEqual(NO_GRANT);
    expect(await stack.countGrantsOf(BOB)).toBe(count - 1);
    const { ExpiresAt } = await stack.read(keys.grant(stackId, BOB));
    expect(ExpiresAt - Date.now() / 1000).toBeGreaterThan(3500);
  });

  test("that was given and taken away is not given by somebody who saw none before, and is late", async () => {
    const late = setGrant(table, bob, stackId, permission("deploy"), undefined);
    await write(setGrant(table, bob, stackId, permission("show"), undefined));
    await write(setGrant(table, bob, stackId, permission("iam_only"), await grant()));
    await expect(write(late)).rejects.toMatchObject({ name: "ConflictException", transient: true });
    expect(permissionOf(bob, await grant())).toEqual(NO_GRANT);
  });

  test("is nothing to write where it changes nothing", async () => {
    expect(setGrant(table, bob, stackId, permission("iam_only"), undefined)).toBeUndefined();
    await write(setGrant(table, bob, stackId, permission("show"), undefined));
    expect(setGrant(table, bob, stackId, permission("show"), await grant())).toBeUndefined();
  });

  test("of an earlier user of the same name is replaced, and nothing of it is kept", async () => {
    await write(
      setGrant(table, bob, stackId, { Level: "manage", AllowSsh: true, AllowSudo: true }, undefined),
    );
    const old = await grant();
    const reborn = { ...bob, ProfileId: randomUUID() };
    expect(setGrant(table, reborn, stackId, permission("iam_only"), old)).toBeUndefined();
    await write(setGrant(table, reborn, stackId, permission("show"), old));
    expect(await grant()).toMatchObject({
      Level: "show",
      AllowSsh: false,
      AllowSudo: false,
      ProfileId: reborn.ProfileId,
    });
  });
});

describe("a user", () => {
  test("is put in place of the one that was read, not of a later one", async () => {
    const { Revision } = bob;
    await write(putUser(table, { ...bob, Name: "first", Revision: randomUUID() }, Revision));
    await expect(
      write(putUser(table, { ...bob, Name: "second", Revision: randomUUID() }, Revision)),
    ).rejects.toMatchObject({
      name: "ConflictException",
      message: `user ${BOB} was changed by somebody else meanwhile, try again`,
    });
    expect((await user()).Name).toBe("first");
  });

  test("is not put as a new one over another", async () => {
    await expect(write(putUser(table, { ...bob, Name: "new" }, undefined))).rejects.toMatchObject({
      name: "ConflictException",
    });
    expect((await user()).Name).toBe("bob");
  });

  test("who must be there must still be the same one", async () => {
    const show = () => setGrant(table, bob, stackId, permission("show"), undefined);
    const somebodyElse = { ...bob, ProfileId: randomUUID() };
    await expect(write(userMustBe(table, somebodyElse), show())).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Unable to find user with ARN ${BOB}`,
    });
    expect(await grant()).toBeUndefined();
    await write(userMustBe(table, bob), show());
    expect(await grant()).toMatchObject({ Level: "show" });
  });
});

describe("a stack", () => {
  test("is not made over another", async () => {
    const there = readStack(await stack.read(keys.stack(stackId)));
    if (!there) throw new Error("the stack is not there");
    await expect(write(...newStack(table, { ...there, Name: "usurper" }, {}))).rejects.toMatchObject({
      name: "ConflictException",
      message: `a stack with ID ${stackId} is there already`,
    });
    expect(await stack.read(keys.stack(stackId))).toMatchObject({ Name: there.Name });
  });

  test("that must be there is one that was made", async () => {
    const nowhere = randomUUID();
    const show = () => setGrant(table, bob, stackId, permission("show"), undefined);
    await expect(write(stackMustExist(table, nowhere), show())).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: `Unable to find stack with ID ${nowhere}`,
    });
    expect(await grant()).toBeUndefined();
  });
});

describe("an event", () => {
  test("is never written over, not even by itself, and takes with it what it was written with", async () => {
    const first = event();
    await write(appendEvent(table, first));
    const again = appendEvent(table, { ...first, Caller: "forged" });
    const show = setGrant(table, bob, stackId, permission("show"), undefined);
    await expect(write(again, show)).rejects.toMatchObject({ name: "ConflictException" });
    expect(await stack.eventsOfStack(stackId)).toMatchObject([{ Caller: first.Caller }]);
    expect(await grant()).toBeUndefined();
  });

  test("is found by its stack and by its user, in the order of time", async () => {
    const times = ["2026-03-01T00:00:00.002Z", "2026-03-01T00:00:00.001Z", "2026-02-28T23:59:59.999Z"];
    for (const Time of times) await write(appendEvent(table, event({ Time })));
    const timesOf = (events: Event[]) =>
      events.filter(({ StackId }) => StackId === stackId).map(({ Time }) => Time);
    expect(timesOf(await stack.eventsOfStack(stackId))).toEqual(times.toReversed());
    expect(timesOf(await stack.eventsOfUser(BOB))).toEqual(times.toReversed());
  });

  test("about a user alone is on the user's own trail", async () => {
    const { StackId: _, ...aboutBob } = event({ Operation: "UpdateUserProfile" });
    await write(appendEvent(table, aboutBob));
    const trail = await stack.eventsAboutUser(BOB);
    expect(trail.filter(({ EventId }) => EventId === aboutBob.EventId)).toHaveLength(1);
  });

  test("about nothing is a mistake of ours", () => {
    const { StackId: _, IamUserArn: __, ...aboutNothing } = event();
    expect(() => appendEvent(table, aboutNothing)).toThrow(TypeError);
  });
});

test("writes that belong together are all done or none, and the first that failed says why", async () => {
  const there = event();
  await write(appendEvent(table, there));
  await expect(
    write(
      setGrant(table, bob, stackId, permission("show"), undefined),
      stackMustExist(table, randomUUID()),
      appendEvent(table, there),
    ),
  ).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  expect(await grant()).toBeUndefined();
});
