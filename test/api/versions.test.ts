import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  ACCOUNT,
  arnOfStack,
  iamUser,
  openTestStack,
  REGION,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const CHANGED = {
  status: 409,
  body: {
    __type: "ConflictException",
    message: expect.stringMatching(/ was changed meanwhile: read it again$/),
  },
};

let stack: TestStack;
let root: Identity;
let StackId: string;

beforeAll(async () => {
  stack = await openTestStack();
  root = stack.asRoot();
  await stack.importAccount({ UserDetailList: ["bob", "manager"].map((name) => iamUser(name)) });
  await stack.addGroups("ops", "web");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stack.obstruct();
  StackId = await stack.addStack();
});

const post = (operation: string, input: object) => stack.post(root, `/${operation}`, input);
const addLayer = async () =>
  (await post("CreateLayer", { StackId, Type: "custom", Name: "web", Shortname: "web" })).body.LayerId;
const addInstance = async () =>
  (await post("RegisterInstance", { StackId, Ec2InstanceId: `i-${StackId.slice(0, 8)}` })).body.InstanceId;
const layerArn = (id: string) => `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${id}/`;
const bob = { IamUserArn: userArn("bob") };

/** Something that can be changed: how its version is read, a change that does something each time, and what names it. */
type Thing = {
  readonly make: () => Promise<object>;
  readonly version: (what: Wire) => Promise<string>;
  readonly change: (what: Wire, round: number) => readonly [string, object];
};
const ofStack = async () => (await post("DescribeStacks", { StackIds: [StackId] })).body.Stacks[0].Version;
const ofLayer = async ({ LayerId }: Wire) =>
  (await post("DescribeLayers", { LayerIds: [LayerId] })).body.Layers[0].Version;
const ofGroup = async () =>
  (await post("DescribePermissions", { StackId })).body.GroupPermissions?.[0]?.Version ?? "none";
const ofGrant = async () =>
  (await post("DescribePermissions", { StackId, ...bob })).body.Permissions[0].Version;
const ofUser = async () =>
  (await post("DescribeUserProfiles", { IamUserArns: [userArn("bob")] })).body.UserProfiles[0].Version;
const theStack = async () => ({ StackId });
const theLayer = async () => ({ LayerId: await addLayer() });
const levelOf = (round: number) => (round % 2 === 0 ? "show" : "deploy");

const THINGS: Readonly<Record<string, Thing>> = {
  "the permission of a user": {
    make: async () => ({ StackId, ...bob }),
    version: ofGrant,
    change: (what, round) => ["SetPermission", { ...what, Level: levelOf(round) }],
  },
  "the level of a group": {
    make: async () => ({ StackId, GroupName: "ops" }),
    version: ofGroup,
    change: (what, round) => ["SetPermission", { ...what, Level: levelOf(round) }],
  },
  "a stack": {
    make: theStack,
    version: ofStack,
    change: (what, round) => ["UpdateStack", { ...what, Name: `n${round}` }],
  },
  "the tags of a stack": {
    make: theStack,
    version: async () => (await post("ListTags", { ResourceArn: arnOfStack(StackId) })).body.Version,
    change: (_what, round) => ["TagResource", { ResourceArn: arnOfStack(StackId), Tags: { a: `${round}` } }],
  },
  "a layer": {
    make: theLayer,
    version: ofLayer,
    change: (what, round) => ["UpdateLayer", { ...what, Name: `n${round}` }],
  },
  "the tags of a layer": {
    make: theLayer,
    version: ofLayer,
    change: ({ LayerId }, round) => [
      "TagResource",
      { ResourceArn: layerArn(LayerId), Tags: { a: `${round}` } },
    ],
  },
  "a user's profile": {
    make: async () => bob,
    version: ofUser,
    change: (what, round) => ["UpdateUserProfile", { ...what, AllowSelfManagement: round % 2 === 0 }],
  },
};

describe.for(Object.entries(THINGS))("%s", ([, { make, version, change }]) => {
  test("is changed by who read it last, and by nobody who read it before that", async () => {
    const what = await make();
    const read = await version(what);
    const write = (round: number, IfVersion?: string) => {
      const [operation, input] = change(what, round);
      return post(operation, { ...input, ...(IfVersion === undefined ? {} : { IfVersion }) });
    };
    expect((await write(0, read)).status).toBe(200);
    const next = await version(what);
    expect(next).not.toBe(read);
    expect(await write(1, read)).toMatchObject(CHANGED);
    expect(await version(what)).toBe(next);
    expect((await write(1, next)).status).toBe(200);
    expect((await write(2)).status).toBe(200);
    // The same again as it was at first is another version.
    expect(await version(what)).not.toBe(next);
  });

  test("that somebody changes between the look and the write is theirs: the loser is told and has tried once", async () => {
    const what = await make();
    const IfVersion = await version(what);
    const [operation, input] = change(what, 0);
    const [, others] = change(what, 1);
    let transactions = 0;
    stack.obstruct(async ({ command, input: sent }, pass) => {
      if (command !== "TransactWriteItems") return pass();
      const isOurs = JSON.stringify(sent).includes('"the loser"');
      if (isOurs && (transactions += 1) === 1) await post(operation, others);
      return pass();
    });
    expect(await post(operation, { ...input, IfVersion, Reason: "the loser" })).toMatchObject(CHANGED);
    expect(transactions).toBe(1);
    const next = await version(what);
    expect(next).not.toBe(IfVersion);
    expect((await post(operation, { ...change(what, 2)[1], IfVersion: next })).status).toBe(200);
  });

  test("takes no version that is none", async () => {
    const [operation, input] = change(await make(), 0);
    for (const IfVersion of ["", "a b", "x".repeat(65), "a\n"]) {
      expect(await post(operation, { ...input, IfVersion })).toMatchObject({
        status: 400,
        body: { message: "`IfVersion` must be a `Version` as it was read" },
      });
    }
  });
});

describe("a deletion", () => {
  test("of a stack, a layer, an instance or a user takes the version that was read", async () => {
    const user = { IamUserArn: userArn("leaver") };
    await post("CreateUserProfile", user);
    const InstanceId = await addInstance();
    const LayerId = await addLayer();
    const [{ Version: ofInstance }] = (await post("DescribeInstances", { StackId })).body.Instances;
    const [{ Version: ofLeaver }] = (await post("DescribeUserProfiles", { IamUserArns: [user.IamUserArn] }))
      .body.UserProfiles;
    for (const [operation, what, IfVersion] of [
      ["DeregisterInstance", { InstanceId }, ofInstance],
      ["DeleteLayer", { LayerId }, await ofLayer({ LayerId })],
      ["DeleteStack", { StackId }, await ofStack()],
      ["DeleteUserProfile", user, ofLeaver],
    ] as const) {
      expect(await post(operation, { ...what, IfVersion: "another" })).toMatchObject(CHANGED);
      expect((await post(operation, { ...what, IfVersion })).status).toBe(200);
    }
  });
});

describe("a version", () => {
  test("of a stack stays while its layers, instances and levels change", async () => {
    const before = await ofStack();
    await addLayer();
    await addInstance();
    await post("SetPermission", { StackId, GroupName: "ops", Level: "show" });
    expect(await ofStack()).toBe(before);
  });

  test("of a group's level stays while another group's changes", async () => {
    await post("SetPermission", { StackId, GroupName: "ops", Level: "show" });
    const before = await ofGroup();
    await post("SetPermission", { StackId, GroupName: "web", Level: "show" });
    expect(await ofGroup()).toBe(before);
  });

  test("of a permission that is not stored is `none`, and of one that was given to an earlier user of that name", async () => {
    const name = userArn("reborn");
    await post("CreateUserProfile", { IamUserArn: name });
    await post("SetPermission", { StackId, IamUserArn: name, Level: "manage" });
    await post("DeleteUserProfile", { IamUserArn: name });
    await post("CreateUserProfile", { IamUserArn: name });
    expect(await stack.read(keys.grant(StackId, name))).toMatchObject({ Level: "manage" });
    const { body } = await post("DescribePermissions", { StackId, IamUserArn: name });
    expect(body.Permissions[0]).toMatchObject({ Level: "iam_only", Version: "none" });
    const change = { StackId, IamUserArn: name, Level: "show", IfVersion: "none" };
    expect((await post("SetPermission", change)).status).toBe(200);
    expect(await post("SetPermission", { ...change, Level: "deny" })).toMatchObject(CHANGED);
  });

  test("that does not match refuses a change that would change nothing, too", async () => {
    await post("SetPermission", { StackId, ...bob, Level: "show" });
    expect(await post("SetPermission", { StackId, ...bob, Level: "show", IfVersion: "none" })).toMatchObject(
      CHANGED,
    );
  });

  test("is no member of an operation that makes something", async () => {
    expect(await post("CreateUserProfile", { ...bob, IfVersion: "none" })).toMatchObject({
      status: 400,
      body: { message: "`IfVersion` is not known here" },
    });
  });
});

test("two hundred writers on one grant: one winner a version, and every loser is told", async () => {
  const levels = ["show", "deploy", "deny", "manage"];
  const winners = new Map<string, number>();
  const replies: { readonly status: number }[] = [];
  const write = async () => {
    const { body } = await post("DescribePermissions", { StackId, ...bob });
    const [{ Level: had, Version: IfVersion }] = body.Permissions;
    const Level = levels[(levels.indexOf(had) + 1) % levels.length];
    const reply = await post("SetPermission", { StackId, ...bob, Level, IfVersion });
    replies.push(reply);
    if (reply.status === 200) winners.set(IfVersion, (winners.get(IfVersion) ?? 0) + 1);
    else expect(reply).toMatchObject(CHANGED);
  };
  await Promise.all(Array.from({ length: 200 }, write));
  expect(replies).toHaveLength(200);
  expect(winners.get("none")).toBe(1);
  expect(new Set(winners.values())).toEqual(new Set([1]));
  expect(await stack.eventsOfStack(StackId)).toHaveLength(winners.size);

  const IfVersion = await ofGrant();
  const together = await Promise.all(
    Array.from({ length: 200 }, () =>
      post("SetPermission", { StackId, ...bob, Level: "iam_only", IfVersion }),
    ),
  );
  expect(together.filter(({ status }) => status === 200)).toHaveLength(1);
  for (const loser of together.filter(({ status }) => status !== 200)) expect(loser).toMatchObject(CHANGED);
}, 120_000);
