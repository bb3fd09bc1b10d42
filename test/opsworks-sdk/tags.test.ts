import { randomUUID } from "node:crypto";
import {
  CreateLayerCommand,
  ListTagsCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  TagResourceCommand,
  UntagResourceCommand,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keys } from "../../shared/table/keys.ts";
import {
  ACCOUNT,
  arnOfStack,
  iamUser,
  openTestStack,
  policy,
  REGION,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";
import { opsWorksClient } from "./opsworks-client.ts";

let stack: TestStack;
let admin: OpsWorksClient;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", "opsworks:*") } }),
      iamUser("lister", { policies: { list: policy("Allow", "opsworks:ListTags") } }),
      iamUser("manager"),
      iamUser("tagger", {
        policies: {
          tags: policy("Allow", ["opsworks:TagResource", "opsworks:UntagResource"]),
          "not-team": policy("Deny", ["opsworks:TagResource", "opsworks:UntagResource"], "*", {
            Condition: { "ForAnyValue:StringEquals": { "aws:TagKeys": ["team"] } },
          }),
          "not-prod": policy("Deny", "opsworks:TagResource", "*", {
            Condition: { StringEquals: { "aws:RequestTag/stage": "prod" } },
          }),
        },
      }),
      iamUser("tester", {
        policies: {
          tests: policy("Allow", "opsworks:StopStack", "*", {
            Condition: { StringEquals: { "aws:ResourceTag/stage": "test" } },
          }),
        },
      }),
    ],
  });
  admin = as("admin");
});
afterAll(() => stack.close());

const as = (name: string) => opsWorksClient(stack.url, stack.asUser(name));
const arnOfLayer = (id: string) => `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${id}/`;
const tag = (ResourceArn: string, Tags: Record<string, string>, client = admin) =>
  client.send(new TagResourceCommand({ ResourceArn, Tags }));
const untag = (ResourceArn: string, TagKeys: string[], client = admin) =>
  client.send(new UntagResourceCommand({ ResourceArn, TagKeys }));
const list = async (ResourceArn: string, client = admin) =>
  (await client.send(new ListTagsCommand({ ResourceArn }))).Tags;

async function addLayer(StackId: string): Promise<string> {
  const layer = { Type: "custom" as const, Name: "layer", Shortname: "layer" };
  return (await admin.send(new CreateLayerCommand({ StackId, ...layer }))).LayerId ?? "";
}

test("a policy may say which tags are set and taken away", async () => {
  const arn = arnOfStack(await stack.addStack("stack", { team: "theirs" }));
  const tagger = as("tagger");
  const denied = { name: "AccessDeniedException" };
  await expect(tag(arn, { team: "mine", other: "x" }, tagger)).rejects.toMatchObject(denied);
  await expect(untag(arn, ["team"], tagger)).rejects.toMatchObject(denied);
  await expect(tag(arn, { stage: "prod" }, tagger)).rejects.toMatchObject(denied);
  await tag(arn, { stage: "test" }, tagger);
  await untag(arn, ["stage"], tagger);
  expect(await list(arn)).toEqual({ team: "theirs" });
});

test("two keys that differ only in case are refused, since policies could not tell them apart", async () => {
  const arn = arnOfStack(await stack.addStack("stack", { Team: "a" }));
  for (const tags of [{ team: "b" }, { x: "1", X: "2" }])
    await expect(tag(arn, tags)).rejects.toBeInstanceOf(ValidationException);
  await tag(arn, { Team: "b" });
  expect(await list(arn)).toEqual({ Team: "b" });
});

describe.each(["stack", "layer"])("the tags of a %s", (type) => {
  const make = async () => {
    const StackId = await stack.addStack();
    if (type === "stack") return { StackId, arn: arnOfStack(StackId), of: {} };
    const LayerId = await addLayer(StackId);
    return { StackId, arn: arnOfLayer(LayerId), of: { LayerId } };
  };

  test("are added, changed and taken away one by one", async () => {
    const { arn } = await make();
    expect(await list(arn)).toEqual({});
    await tag(arn, { stage: "test", "cost:centre/1": "a b+-=._:/" });
    await tag(arn.replace(/\/$/, ""), { stage: "prod", constructor: "x", empty: "" });
    const all = { stage: "prod", "cost:centre/1": "a b+-=._:/", constructor: "x", empty: "" };
    expect(await list(arn)).toEqual(all);
    await untag(arn, ["constructor", "empty", "never-there"]);
    expect(await list(arn)).toEqual({ stage: "prod", "cost:centre/1": "a b+-=._:/" });
  });

  test("leave an event of each change, before and after, and none of what changes nothing", async () => {
    const { StackId, arn, of } = await make();
    const { length } = await stack.eventsOfStack(StackId);
    await tag(arn, { a: "1" });
    await tag(arn, { a: "1" });
    await untag(arn, ["b"]);
    await untag(arn, ["a"]);
    expect((await stack.eventsOfStack(StackId)).slice(length)).toMatchObject([
      { Operation: "TagResource", Before: { ...of, Tags: {} }, After: { ...of, Tags: { a: "1" } } },
      { Operation: "UntagResource", Before: { ...of, Tags: { a: "1" } }, After: { ...of, Tags: {} } },
    ]);
  });

  test("come in pages, too", async () => {
    const { arn } = await make();
    await tag(arn, { b: "2", c: "3", a: "1" });
    const first = await admin.send(new ListTagsCommand({ ResourceArn: arn, MaxResults: 2 }));
    expect(first.Tags).toEqual({ a: "1", b: "2" });
    const { NextToken } = first;
    const second = await admin.send(new ListTagsCommand({ ResourceArn: arn, MaxResults: 2, NextToken }));
    expect(second).toMatchObject({ Tags: { c: "3" } });
    expect(second.NextToken).toBeUndefined();
  });

  test("are at most 40", async () => {
    const { arn } = await make();
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`k${i}`, "x"]));
    await tag(arn, many);
    await tag(arn, { k0: "y" });
    await expect(tag(arn, { one: "more" })).rejects.toThrow(
      "there can be at most 40 tags, and these make 41",
    );
    expect(await list(arn)).toEqual({ ...many, k0: "y" });
  });

  test("take a policy: Manage is not enough", async () => {
    const { StackId, arn } = await make();
    await stack.grant(StackId, userArn("manager"), { Level: "manage" });
    await tag(arn, { a: "1" });
    expect(await list(arn, as("lister"))).toEqual({ a: "1" });
    stack.sent.length = 0;
    for (const send of [
      () => list(arn, as("manager")),
      () => tag(arn, { b: "2" }, as("manager")),
      () => untag(arn, ["a"], as("manager")),
      () => tag(arn, { b: "2" }, as("lister")),
    ])
      await expect(send()).rejects.toMatchObject({ name: "AccessDeniedException" });
    expect(stack.writes()).toEqual([]);
  });
});

test("a policy about `aws:ResourceTag` answers otherwise at the next check after the tag changes", async () => {
  const StackId = await stack.addStack();
  const check = async () =>
    (
      await stack.post(stack.asUser("tester"), "/access/v1/evaluation", {
        subject: { type: "user", id: userArn("tester") },
        action: { name: "opsworks:StopStack" },
        resource: { type: "stack", id: StackId },
      })
    ).body.decision;
  expect(await check()).toBe(false);
  await tag(arnOfStack(StackId), { stage: "test" });
  expect(await check()).toBe(true);
  await tag(arnOfStack(StackId), { stage: "prod" });
  expect(await check()).toBe(false);
  await tag(arnOfStack(StackId), { stage: "test" });
  await untag(arnOfStack(StackId), ["stage"]);
  expect(await check()).toBe(false);
  const LayerId = await addLayer(StackId);
  await tag(arnOfLayer(LayerId), { stage: "test" });
  expect(await check()).toBe(false);
});

describe("what is refused", () => {
  test.for([
    [`arn:aws:opsworks:eu-west-1:${ACCOUNT}:stack/ID/`, "must be in the region `us-east-1` of the account"],
    [`arn:aws:opsworks:${REGION}:999999999999:stack/ID/`, "must be in the region `us-east-1` of the account"],
    [`arn:aws-cn:opsworks:${REGION}:${ACCOUNT}:layer/ID`, "must be in the region `us-east-1` of the account"],
    [`arn:aws:ec2:${REGION}:${ACCOUNT}:stack/ID/`, "must be the ARN of a stack or a layer"],
    [`arn:aws:opsworks:${REGION}:${ACCOUNT}:app/ID/`, "must be the ARN of a stack or a layer"],
    [`arn:aws:opsworks:${REGION}:${ACCOUNT}:stack/ID//`, "must be the ARN of a stack or a layer"],
    [`arn:aws:opsworks:${REGION}:${ACCOUNT}:stack/*`, "must be the ARN of a stack or a layer"],
    ["ID", "must be the ARN of a stack or a layer"],
  ] as const)("the ARN %s", async ([pattern, message]) => {
    const StackId = await stack.addStack();
    const arn = pattern.replace("ID", StackId);
    stack.sent.length = 0;
    for (const send of [
      () => tag(arn, { a: "1" }),
      () => untag(arn, ["a"]),
      () => list(arn),
      () => list(arn, as("manager")),
    ])
      await expect(send()).rejects.toSatisfy(
        (error) => error instanceof ValidationException && error.message.includes(message),
      );
    expect(stack.writes()).toEqual([]);
  });

  test.for([
    [{ "aws:tag": "x" }, "has the key `aws:tag`"],
    [{ "AWS:tag": "x" }, "has the key `AWS:tag`"],
    [{ "": "x" }, "has the key ``"],
    [{ ["x".repeat(128)]: "x" }, "has the key"],
    [{ "a@b": "x" }, "has the key `a@b`"],
    [JSON.parse('{"__proto__": "x"}') as Record<string, string>, "has the key `__proto__`"],
    [{ "a\u0000": "x" }, "has the key"],
    [{ a: "x".repeat(256) }, "`Tags.a` must be at most 255"],
    [{ a: "x@y" }, "`Tags.a` must be at most 255 letters"],
    [{ a: "x\n" }, "`Tags.a` must be"],
  ])("the tags %j", async ([tags, message]) => {
    const arn = arnOfStack(await stack.addStack());
    stack.sent.length = 0;
    const reply = await stack.post(stack.asUser("admin"), "/TagResource", { ResourceArn: arn, Tags: tags });
    expect(reply).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
    expect(reply.body.message).toContain(message);
    expect(stack.writes()).toEqual([]);
  });

  test("a stack or a layer that is not there, to who may know it", async () => {
    const gone = randomUUID();
    await expect(list(arnOfStack(gone))).rejects.toThrow(`Unable to find stack with ID ${gone}`);
    await expect(list(arnOfLayer(gone))).rejects.toThrow(`Unable to find layer with ID ${gone}`);
    await expect(tag(arnOfLayer(gone), { a: "1" })).rejects.toBeInstanceOf(ResourceNotFoundException);
    for (const arn of [arnOfStack(gone), arnOfLayer(gone)])
      await expect(list(arn, as("manager"))).rejects.toMatchObject({ name: "AccessDeniedException" });
  });
});

test("tags that two give at the same moment are all there", async () => {
  const StackId = await stack.addStack();
  await Promise.all(["a", "b", "c", "d"].map((key) => tag(arnOfStack(StackId), { [key]: "x" })));
  expect(await stack.read(keys.stack(StackId))).toMatchObject({ Tags: { a: "x", b: "x", c: "x", d: "x" } });
});
