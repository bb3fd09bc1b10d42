import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { marshall } from "@aws-sdk/util-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { handler as followTable } from "../../functions/follow-table.ts";
import type { Event } from "../../shared/model/event.ts";
import { keys } from "../../shared/table/keys.ts";
import { startEventBus } from "../setup/event-bus-endpoint.ts";
import {
  ACCOUNT,
  iamUser,
  openTestStack,
  policy,
  REGION,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";
import { NEW_STACK } from "../setup/writing-requests.ts";

const BUS = "changes";

let stack: TestStack;
let bus: Awaited<ReturnType<typeof startEventBus>>;

beforeAll(async () => {
  bus = await startEventBus();
  process.env.AWS_ENDPOINT_URL_EVENTBRIDGE = bus.url;
  stack = await openTestStack({ administrators: [userArn("admin")], streams: true, eventBus: BUS });
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", "*") } }),
      iamUser("bob"),
      iamUser("leaver"),
    ],
    RoleDetailList: stackRoles(),
  });
});
afterAll(async () => {
  await stack.close();
  await bus.close();
});
afterEach(() => {
  process.env.EVENT_BUS = BUS;
  bus.answer = () => [];
});

const call = (name: string, input: object) => stack.post(stack.asUser("admin"), `/${name}`, input);
const detailsOf = (entries: readonly { Detail: string }[]) =>
  entries.map(({ Detail }) => JSON.parse(Detail) as Event & { Truncated?: boolean });
const takenAbout = (StackId: string) => bus.taken.filter(({ Detail }) => Detail.includes(StackId));

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(50);
}

/** Sets a level, and answers the event of it as the trail has it. */
async function setLevel(StackId: string, Level: string): Promise<Event> {
  expect((await call("SetPermission", { StackId, IamUserArn: userArn("bob"), Level })).status).toBe(200);
  return (await call("DescribeEvents", { StackId })).body.Events[0];
}

describe("by the table's stream", () => {
  test("an event of the trail arrives at the bus, with all that it has but its keys", async () => {
    const StackId = await stack.addStack();
    const event = await setLevel(StackId, "deploy");
    await until(() => takenAbout(StackId).length > 0);
    const [entry, ...others] = takenAbout(StackId);
    expect(others).toEqual([]);
    expect(entry).toMatchObject({ EventBusName: BUS, Source: "stackwarden", DetailType: "SetPermission" });
    expect(entry!.Time).toBe(Date.parse(event.Time) / 1000);
    expect(JSON.parse(entry!.Detail)).toEqual(event);
    expect(event).toMatchObject({ Caller: userArn("admin"), After: { Level: "deploy" } });
  });

  test("no secret of a stack does", async () => {
    const { status, body } = await call("CreateStack", {
      ...NEW_STACK,
      CustomCookbooksSource: {
        Type: "git",
        Url: "https://x.example/c.git",
        Password: "hunter2-of-the-source",
      },
    });
    expect(status).toBe(200);
    await until(() => takenAbout(body.StackId).length > 0);
    expect(takenAbout(body.StackId)[0]?.DetailType).toBe("CreateStack");
    expect(JSON.stringify(bus.requests)).not.toContain("hunter2");
    expect(takenAbout(body.StackId)[0]?.Detail).toContain("FILTERED");
  });

  test("a bus that refuses is told again, and the grants of whoever is deleted meanwhile are swept", async () => {
    const [StackId, IamUserArn] = [await stack.addStack(), userArn("leaver")];
    await stack.grant(StackId, IamUserArn, { Level: "deploy" });
    let refusals = 0;
    bus.answer = () => {
      refusals += 1;
      return { error: "AccessDeniedException" };
    };
    const event = await setLevel(StackId, "show");
    await call("DeleteUserProfile", { IamUserArn });
    await until(async () => refusals > 1 && (await stack.countGrantsOf(IamUserArn)) === 0);
    expect(takenAbout(StackId)).toEqual([]);
    bus.answer = () => [];
    await until(() => detailsOf(bus.taken).some(({ EventId }) => EventId === event.EventId));
    await until(() => bus.taken.some(({ DetailType }) => DetailType === "DeleteUserProfile"));
  });
});

const newEvent = (rest: Partial<Event> = {}): Event => ({
  EventId: randomUUID(),
  Time: new Date().toISOString(),
  Operation: "SetPermission",
  Caller: userArn("admin"),
  StackId: randomUUID(),
  ...rest,
});
/** The record that the table's stream sends for an event. */
const added = (event: Event) => ({
  eventName: "INSERT",
  dynamodb: {
    Keys: marshall(keys.stackEvent(event.StackId!, event.Time)),
    NewImage: marshall({ ...event, ...keys.stackEvent(event.StackId!, event.Time) }),
  },
});
/** The one for a user who was deleted so many milliseconds ago. */
const removed = (IamUserArn: string, ProfileId: string, ago: number) => ({
  eventName: "REMOVE",
  dynamodb: {
    ApproximateCreationDateTime: (Date.now() - ago) / 1000,
    Keys: marshall(keys.user(IamUserArn)),
    OldImage: marshall({ ...keys.user(IamUserArn), IamUserArn, ProfileId }),
  },
});
const run = (Records: readonly object[], milliseconds = 300_000) => {
  const deadline = Date.now() + milliseconds;
  return followTable({ Records }, {
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:FollowTable`,
    getRemainingTimeInMillis: () => deadline - Date.now(),
  } as Parameters<typeof followTable>[1]);
};
/** What a batch makes the bus hear: the events of each request. */
async function heard(Records: readonly object[]): Promise<ReturnType<typeof detailsOf>[]> {
  bus.requests.length = 0;
  await run(Records);
  return bus.requests.map(detailsOf);
}

describe("a batch of the stream", () => {
  test("is sent ten at a time, in its order", async () => {
    const events = Array.from({ length: 23 }, () => newEvent());
    const requests = await heard(events.map(added));
    expect(requests.map((request) => request.length)).toEqual([10, 10, 3]);
    expect(requests.flat()).toEqual(events);
  });

  test("is sent in requests of less than 256 KB", async () => {
    const events = Array.from({ length: 4 }, () => newEvent({ After: "é".repeat(50_000) }));
    expect((await heard(events.map(added))).map((request) => request.length)).toEqual([2, 2]);
  });

  test.for([
    [262_143, "whole"],
    [262_144, "without what was there before and after"],
  ] as const)("has an event of %i bytes %s", async ([bytes, how]) => {
    const Operation = "UpdateStack";
    const event = newEvent({ Operation, Before: 1, After: "" });
    const entry = 14 + "stackwarden".length + Operation.length + JSON.stringify(event).length;
    event.After = "x".repeat(bytes - entry);
    const short = { ...event, Before: undefined, After: undefined, Truncated: true };
    expect(await heard([added(event)])).toEqual([[how === "whole" ? event : short]]);
  });

  test("is sent again as far as it was not taken, before what follows", async () => {
    const events = Array.from({ length: 12 }, () => newEvent());
    let requests = 0;
    bus.answer = () => {
      requests += 1;
      if (requests === 1) return [undefined, "ThrottlingException", undefined, "InternalFailure"];
      return requests === 2 ? ["InternalFailure"] : [];
    };
    const ids = (await heard(events.map(added))).map((request) => request.map(({ EventId }) => EventId));
    const all = events.map(({ EventId }) => EventId);
    expect(ids).toEqual([all.slice(0, 10), [all[1], all[3]], [all[1]], all.slice(10)]);
  });

  test("fails when the bus does not answer in its time, and comes when it does", async () => {
    const event = newEvent();
    bus.answer = () => "cut";
    await expect(run([added(event)], 2500)).rejects.toThrow();
    expect(bus.requests.length).toBeGreaterThan(1);
    bus.answer = () => [];
    expect(await heard([added(event)])).toEqual([[event]]);
  });

  test("fails at once when the bus refuses for good", async () => {
    bus.requests.length = 0;
    bus.answer = () => ({ error: "AccessDeniedException" });
    await expect(run([added(newEvent())])).rejects.toThrow("no");
    expect(bus.requests).toHaveLength(1);
  });

  test("fails with the codes of the bus, and nothing of the events", async () => {
    bus.answer = () => ["InternalFailure"];
    await expect(run([added(newEvent({ Reason: "private" }))], 1500)).rejects.toThrow(
      /^the bus did not take 1 events: InternalFailure$/,
    );
  });

  test("is sent nowhere without a bus", async () => {
    process.env.EVENT_BUS = "";
    expect(await heard([added(newEvent())])).toEqual([]);
  });

  test("has a deletion swept beside its events, once the index had time", async () => {
    const [StackId, IamUserArn] = [await stack.addStack(), userArn("bob")];
    await stack.grant(StackId, IamUserArn, { Level: "deploy" });
    const { ProfileId } = await stack.read(keys.user(IamUserArn));
    const before = Date.now();
    const event = newEvent();
    expect(await heard([removed(IamUserArn, ProfileId, 9000), added(event)])).toEqual([[event]]);
    expect(Date.now() - before).toBeGreaterThan(900);
    expect(await stack.countGrantsOf(IamUserArn)).toBe(0);
  });

  test("waits for no index where nothing is swept", async () => {
    const changed = removed(userArn("bob"), "one", 0);
    const before = Date.now();
    await run([{ ...changed, dynamodb: { ...changed.dynamodb, NewImage: changed.dynamodb.OldImage } }]);
    expect(Date.now() - before).toBeLessThan(5000);
  });
});
