import { randomUUID } from "node:crypto";
import {
  CloneStackCommand,
  type CloneStackCommandInput,
  CreateLayerCommand,
  CreateStackCommand,
  DeleteLayerCommand,
  DeleteStackCommand,
  DescribeLayersCommand,
  DescribeStacksCommand,
  ListTagsCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  TagResourceCommand,
  UpdateLayerCommand,
  UpdateStackCommand,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { BatchWriteCommand, DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { handler as followTable } from "../../functions/follow-table.ts";
import { indexKeys, type Key, keys } from "../../shared/table/keys.ts";
import {
  ACCOUNT,
  arnOfStack,
  iamUser,
  ANY_VERSION,
  openTestStack,
  policy,
  REGION,
  roleArn,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";
import { opsWorksClient } from "./opsworks-client.ts";

const profile = (name: string) => `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`;
const SERVICE_ROLE = roleArn("service-role");
const SOURCE = {
  Name: "webshop",
  Region: REGION,
  VpcId: "vpc-1",
  Attributes: { Color: "red" },
  ServiceRoleArn: roleArn("service-role-of-the-source"),
  DefaultInstanceProfileArn: profile("ec2"),
  DefaultOs: "Amazon Linux 2",
  CustomJson: '{"a": 1}',
  ConfigurationManager: { Name: "Chef", Version: "12" },
  UseCustomCookbooks: true,
  CustomCookbooksSource: {
    Type: "git" as const,
    Url: "https://example.com",
    Password: "hush",
    SshKey: "key",
  },
  DefaultSshKeyName: "key",
};

let stack: TestStack;
let admin: OpsWorksClient;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", {
        policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*", "iam:PassRole"]) },
      }),
      ...["bob", "carol", "manager"].map((name) => iamUser(name)),
    ],
    RoleDetailList: stackRoles({ serviceRoles: ["service-role-of-the-source"], profiles: ["other"] }),
  });
  admin = opsWorksClient(stack.url, stack.asUser("admin"));
});
afterAll(() => stack.close());
afterEach(() => stack.obstruct());

const clone = async (SourceStackId: string, input: Partial<CloneStackCommandInput> = {}, client = admin) =>
  (await client.send(new CloneStackCommand({ SourceStackId, ServiceRoleArn: SERVICE_ROLE, ...input })))
    .StackId ?? "";
const describeStack = async (StackId: string): Promise<Wire> =>
  (await admin.send(new DescribeStacksCommand({ StackIds: [StackId] }))).Stacks?.[0];
const layersOf = async (StackId: string): Promise<Wire[]> =>
  ((await admin.send(new DescribeLayersCommand({ StackId }))).Layers ?? []).toSorted((a, b) =>
    (a.Shortname ?? "") < (b.Shortname ?? "") ? -1 : 1,
  );
const tagsOf = async (ResourceArn = "") => (await admin.send(new ListTagsCommand({ ResourceArn }))).Tags;
const permissionsOn = async (StackId: string) => {
  const { body } = await stack.post(stack.asUser("admin"), "/DescribePermissions", { StackId });
  return body;
};
const isAllowed = async (stackId: string, name: string) => {
  const { body } = await stack.post(stack.asUser("admin"), "/access/v1/evaluation", {
    subject: { type: "user", id: userArn(name) },
    action: { name: "opsworks:CreateLayer" },
    resource: { type: "stack", id: stackId },
  });
  return body.decision;
};
const makeSource = async () => (await admin.send(new CreateStackCommand(SOURCE))).StackId ?? "";
const addLayer = async (StackId: string, Shortname: string, rest: object = {}) =>
  (await admin.send(new CreateLayerCommand({ StackId, Type: "custom", Name: "n", Shortname, ...rest })))
    .LayerId ?? "";

describe("a copy", () => {
  test("has the settings, secrets, layers and tags of its source, and ids of its own", async () => {
    const source = await makeSource();
    const LayerId = await addLayer(source, "web", { CustomRecipes: { Setup: ["a::b"] }, Packages: ["git"] });
    await addLayer(source, "db", { Type: "db-master", Attributes: { MysqlRootPassword: "hush" } });
    const [, arnOfWeb] = (await layersOf(source)).map(({ Arn }) => Arn);
    await admin.send(new TagResourceCommand({ ResourceArn: arnOfStack(source), Tags: { stage: "test" } }));
    await admin.send(new TagResourceCommand({ ResourceArn: arnOfWeb, Tags: { tier: "1" } }));

    const StackId = await clone(source);
    const own = {
      StackId,
      Arn: arnOfStack(StackId),
      CreatedAt: expect.any(String) as unknown,
      ...ANY_VERSION,
    };
    expect(await describeStack(StackId)).toEqual({
      ...(await describeStack(source)),
      ...own,
      ServiceRoleArn: SERVICE_ROLE,
    });
    const { CustomCookbooksSource } = await stack.read(keys.stackSettings(StackId));
    expect(CustomCookbooksSource).toEqual(SOURCE.CustomCookbooksSource);
    const [before, after] = [await layersOf(source), await layersOf(StackId)];
    const shapes = (layers: Wire[]) =>
      layers.map(({ LayerId: _id, StackId: _stack, Arn: _arn, CreatedAt: _at, ...shape }) => shape);
    expect(shapes(after)).toEqual(shapes(before));
    expect(after.map((layer) => layer.LayerId)).not.toContain(LayerId);
    expect(await stack.read(keys.layer(StackId, after[0].LayerId))).toMatchObject({
      Attributes: { MysqlRootPassword: "hush" },
    });
    expect(await tagsOf(arnOfStack(StackId))).toEqual({ stage: "test" });
    expect(await tagsOf(after[1].Arn)).toEqual({ tier: "1" });

    await admin.send(new UpdateLayerCommand({ LayerId: after[1].LayerId, Name: "of the copy" }));
    await addLayer(StackId, "third");
    expect(await layersOf(source)).toEqual(before);
    expect(await stack.read(keys.stack(StackId))).toMatchObject({ LayerCount: 3 });
    expect(await stack.read(keys.unfinishedClone(StackId))).toBeUndefined();
  });

  test("has what is given instead of the source's", async () => {
    const source = await makeSource();
    const given = {
      Name: "copy",
      Region: REGION,
      VpcId: "vpc-2",
      DefaultInstanceProfileArn: profile("other"),
      DefaultOs: "Ubuntu",
      CustomJson: "{}",
      CloneAppIds: [],
    };
    const StackId = await clone(source, given);
    const { CloneAppIds: _none, ...shown } = given;
    expect(await describeStack(StackId)).toMatchObject({ ...shown, Attributes: { Color: "red" } });
    const CustomCookbooksSource = { Type: "git" as const, Url: "https://elsewhere.example", Password: "new" };
    const other = await clone(source, { CustomCookbooksSource });
    expect(await stack.read(keys.stackSettings(other))).toMatchObject({ CustomCookbooksSource });
  });

  test("keeps a filtered secret for the same source, and takes none to another", async () => {
    const source = await makeSource();
    const { CustomCookbooksSource } = await describeStack(source);
    const same = await clone(source, { CustomCookbooksSource });
    expect(await stack.read(keys.stackSettings(same))).toMatchObject({
      CustomCookbooksSource: SOURCE.CustomCookbooksSource,
    });
    const elsewhere = { ...CustomCookbooksSource, Url: "https://elsewhere.example" };
    await expect(clone(source, { CustomCookbooksSource: elsewhere })).rejects.toThrow("is filtered");
  });

  test("gives nobody anything unless `ClonePermissions` says so", async () => {
    const source = await makeSource();
    await stack.addGroups("ops");
    const set = { StackId: source, GroupName: "ops", Level: "show" };
    await stack.post(stack.asUser("admin"), "/SetPermission", set);
    await stack.grant(source, userArn("bob"), { Level: "manage", AllowSsh: true });
    await stack.grant(source, userArn("carol"), { Level: "deny" });
    for (const input of [{}, { ClonePermissions: false }]) {
      const { Permissions, GroupPermissions = [] } = await permissionsOn(await clone(source, input));
      expect(new Set(Permissions.map(({ Level }: Wire) => Level))).toEqual(new Set(["iam_only"]));
      expect(GroupPermissions).toEqual([]);
    }
    const StackId = await clone(source, { ClonePermissions: true });
    const withoutId = ({ StackId: _id, Version: _version, ...row }: Wire) => row;
    const [before, after] = [await permissionsOn(source), await permissionsOn(StackId)];
    expect(after.Permissions.map(withoutId)).toEqual(before.Permissions.map(withoutId));
    expect(after.GroupPermissions.map(withoutId)).toEqual([{ GroupName: "ops", Level: "show" }]);
    const events = await stack.eventsOfStack(StackId);
    expect(new Set(events.map(({ Operation }) => Operation))).toEqual(new Set(["CloneStack"]));
    expect(events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ GroupName: "ops", After: { Level: "show" } }),
        expect.objectContaining({
          IamUserArn: userArn("bob"),
          Before: { Level: "iam_only", AllowSsh: false, AllowSudo: false },
          After: { Level: "manage", AllowSsh: true, AllowSudo: false },
        }),
        expect.objectContaining({
          After: expect.objectContaining({ SourceStackId: source, ClonePermissions: true }),
        }),
      ]),
    );
    expect(events).toHaveLength(4);
  });

  test("gives nothing that an earlier user of the same name had", async () => {
    const source = await makeSource();
    const IamUserArn = userArn("again");
    const post = (path: string) => stack.post(stack.asUser("admin"), path, { IamUserArn });
    await post("/CreateUserProfile");
    await stack.grant(source, IamUserArn, { Level: "manage" });
    await post("/DeleteUserProfile");
    await post("/CreateUserProfile");
    const StackId = await clone(source, { ClonePermissions: true });
    expect(await stack.read(keys.grant(StackId, IamUserArn))).toBeUndefined();
  });
});

describe("what is refused writes nothing", () => {
  test.for([
    ["another region", { Region: "eu-west-1" }, "`Region` must be `us-east-1`"],
    ["apps", { CloneAppIds: [randomUUID()] }, "`CloneAppIds` must be empty: apps are not kept here"],
    ["a name of 65 characters", { Name: "x".repeat(65) }, "`Name` must have 1 to 64 characters"],
    ["a service role that is none", { ServiceRoleArn: userArn("bob") }, "`ServiceRoleArn` must be the ARN"],
  ] as const)("%s", async ([, input, message]) => {
    const source = await makeSource();
    stack.sent.length = 0;
    const refused = clone(source, { ...input } as Partial<CloneStackCommandInput>);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(ValidationException);
    expect(stack.writes()).toEqual([]);
  });

  test("no level includes it, and a source that is not there shows only to who may know", async () => {
    const source = await makeSource();
    await stack.grant(source, userArn("manager"), { Level: "manage" });
    const manager = opsWorksClient(stack.url, stack.asUser("manager"));
    stack.sent.length = 0;
    await expect(clone(source, {}, manager)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(clone(randomUUID(), {}, manager)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(clone(randomUUID())).rejects.toBeInstanceOf(ResourceNotFoundException);
    expect(stack.writes()).toEqual([]);
  });
});

test("cut at any of its transactions, before or after it was written, a copy counts for nobody, and again is right", async () => {
  const source = await makeSource();
  await stack.grant(source, userArn("carol"), { Level: "manage" });
  let isOver = false;
  for (let cut = 1; !isOver; cut += 1) {
    for (const isWritten of [false, true]) {
      let seen = 0;
      let copy = "";
      stack.obstruct(async (request, pass) => {
        if (request.command !== "TransactWriteItems") return pass();
        copy ||= request.input.TransactItems.find(({ Put }: Wire) => Put?.Item.sk === "CLONE")?.Put.Item
          .StackId;
        seen += 1;
        if (seen === cut && isWritten) await pass();
        if (seen === cut) throw new Error("interrupted");
        return pass();
      });
      const outcome = await clone(source, { ClonePermissions: true }).catch(() => "interrupted");
      stack.obstruct();
      isOver = seen < cut;
      if (isOver) break;
      expect(outcome).toBe("interrupted");
      const isThere = (await stack.read(keys.stack(copy))) !== undefined;
      // The last transaction alone makes the stack; when its answer is lost, the copy is whole all the same.
      if (isThere) expect(isWritten).toBe(true);
      expect((await isAllowed(copy, "carol")) === true).toBe(isThere);
      const again = await clone(source, { ClonePermissions: true });
      expect(await isAllowed(again, "carol")).toBe(true);
    }
  }
});

describe("a copy whose source gets other permissions meanwhile", () => {
  const CHANGES: Readonly<Record<string, object>> = {
    "a grant that is changed": { IamUserArn: userArn("bob"), Level: "deny", AllowSsh: true },
    "a grant that is added": { IamUserArn: userArn("manager"), Level: "deploy" },
    "a grant that is removed": { IamUserArn: userArn("carol"), Level: "iam_only" },
  };
  const sourceWithGrants = async () => {
    const source = await makeSource();
    await stack.grant(source, userArn("bob"), { Level: "show" });
    await stack.grant(source, userArn("carol"), { Level: "manage" });
    return source;
  };
  const heldOn = async (StackId: string) => {
    const { Permissions } = await permissionsOn(StackId);
    return Permissions.map(({ StackId: _id, Version: _version, ...held }: Wire) => held);
  };
  /** Copies with something done before some of its transactions; answers with the copy and how many there were. */
  async function cloneWith(source: string, before: (transaction: number) => Promise<unknown>) {
    let isAside = false;
    let seen = 0;
    stack.obstruct(async (request, pass) => {
      if (request.command !== "TransactWriteItems" || isAside) return pass();
      isAside = true;
      seen += 1;
      await before(seen);
      isAside = false;
      return pass();
    });
    const copy = await clone(source, { ClonePermissions: true }).finally(() => stack.obstruct());
    return { copy, seen };
  }
  const set = async (StackId: string, change: object) =>
    expect((await stack.post(stack.asUser("admin"), "/SetPermission", { StackId, ...change })).status).toBe(
      200,
    );

  test.for(Object.keys(CHANGES))("%s at any moment is on the copy as on its source", async (what) => {
    let isOver = false;
    for (let cut = 1; !isOver; cut += 1) {
      const source = await sourceWithGrants();
      const change = async (at: number) => at === cut && set(source, CHANGES[what] ?? {});
      const { copy, seen } = await cloneWith(source, change);
      expect(await heldOn(copy)).toEqual(await heldOn(source));
      isOver = seen < cut;
    }
  });

  test("says so in its events", async () => {
    const source = await sourceWithGrants();
    const { copy } = await cloneWith(source, async (at) => {
      if (at === 3) for (const change of Object.values(CHANGES)) await set(source, change);
    });
    expect(await heldOn(copy)).toEqual(await heldOn(source));
    const ofCarol = (await stack.eventsOfStack(copy)).filter(({ IamUserArn }) =>
      IamUserArn?.endsWith("carol"),
    );
    expect(ofCarol.map(({ After }) => After)).toMatchObject([{ Level: "manage" }, { Level: "iam_only" }]);
  });

  test("is no copy when a level of a group changes, or when they never rest", async () => {
    const source = await sourceWithGrants();
    await stack.addGroups("ops");
    const ofGroup = { GroupName: "ops", Level: "deny" };
    const changed = cloneWith(source, async (at) => at === 3 && set(source, ofGroup));
    await expect(changed).rejects.toThrow("was changed or deleted while it was copied, try again");
    let id = "";
    const restless = cloneWith(source, async (at) => {
      if (at === 1) id = stack.writes().at(-1)?.input.TransactItems[0].Put.Item.StackId;
      await set(source, { IamUserArn: userArn("bob"), Level: at % 2 === 0 ? "show" : "deploy" });
    });
    await expect(restless).rejects.toThrow("were changed by somebody else meanwhile, try again");
    await expect(restless).rejects.toBeInstanceOf(ValidationException);
    expect(await stack.read(keys.stack(id))).toBeUndefined();
  });
});

const USERS = 2000;
const LAYERS = 50;

describe("a stack with 2,000 grants and 50 layers", () => {
  let source: string;
  let copy: string;
  /** How many transactions a copy takes. */
  let transactions = 0;

  beforeAll(async () => {
    source = await makeSource();
    const bob = await stack.read(keys.user(userArn("bob")));
    const users = Array.from({ length: USERS }, (_, i) => {
      const IamUserArn = userArn(`many-${i}`);
      const of = { IamUserArn, ProfileId: `profile-${i}`, Groups: [], Policies: [] };
      return { ...bob, ...of, ...keys.user(IamUserArn), ...indexKeys.users(IamUserArn) };
    });
    const grants = users.map(({ IamUserArn, ProfileId }) => {
      const permission = { Level: "manage", AllowSsh: true, AllowSudo: false, Revision: randomUUID() };
      const at = { ...keys.grant(source, IamUserArn), ...indexKeys.userGrants(IamUserArn, source) };
      return { StackId: source, IamUserArn, ProfileId, ...permission, ...at };
    });
    const layers = Array.from({ length: LAYERS }, (_, i) => {
      const LayerId = randomUUID();
      const rest = { Type: "custom", Name: "n", Shortname: `layer-${i}`, Tags: {}, CreatedAt: "2026-01-01" };
      return { StackId: source, LayerId, ...rest, ...keys.layer(source, LayerId) };
    });
    const places = layers.map(({ LayerId }) => ({ StackId: source, ...keys.layerPlace(LayerId) }));
    await putAll([...users, ...grants, ...layers, ...places]);
    await stack.put({ ...(await stack.read(keys.stack(source))), LayerCount: LAYERS });
  }, 120_000);

  async function putAll(items: object[]): Promise<void> {
    for (let from = 0; from < items.length; from += 25) {
      const requests = items.slice(from, from + 25).map((Item) => ({ PutRequest: { Item } }));
      await stack.table.client.send(new BatchWriteCommand({ RequestItems: { [stack.tableName]: requests } }));
    }
  }

  const grantsOn = async (StackId: string) => {
    const { Permissions } = await permissionsOn(StackId);
    return Permissions.filter(({ Level }: Wire) => Level === "manage").length;
  };
  /** Whose copy a transaction is of: the mark comes first. */
  const markIn = ({ input }: Wire): string | undefined =>
    input.TransactItems.find(({ Put }: Wire) => Put?.Item.sk === "CLONE")?.Put.Item.StackId;
  /** Interrupts the functions at a request of that kind, before or after it was done; answers how many there were. */
  const interruptAt = (command: string, cut: number, isDone = false) => {
    const seen = { count: 0, copy: "", places: new Array<Key>() };
    stack.obstruct(async (request, pass) => {
      if (request.command !== command) return pass();
      seen.count += 1;
      if (command === "TransactWriteItems") {
        seen.copy ||= markIn(request) ?? "";
        for (const { Put } of request.input.TransactItems)
          if (Put?.Item.sk === "LAYER") seen.places.push({ pk: Put.Item.pk, sk: Put.Item.sk });
      }
      if (seen.count === cut && isDone) await pass();
      if (seen.count === cut) throw new Error("interrupted");
      return pass();
    });
    return seen;
  };

  test("is copied whole, and no check sees it before", { timeout: 60_000 }, async () => {
    let begun = "";
    const early: unknown[] = [];
    stack.obstruct(async (request, pass) => {
      if (request.command !== "TransactWriteItems") return pass();
      begun ||= markIn(request) ?? "";
      transactions += 1;
      const output = await pass();
      const isThere = (await stack.read(keys.stack(begun))) !== undefined;
      if (!isThere && transactions % 8 === 0) early.push(await isAllowed(begun, "many-0"));
      return output;
    });
    copy = await clone(source, { ClonePermissions: true });
    stack.obstruct();
    expect(copy).toBe(begun);
    expect(early.length).toBeGreaterThan(3);
    expect(early).not.toContain(true);
    expect(await isAllowed(copy, "many-0")).toBe(true);
    expect(await grantsOn(copy)).toBe(USERS);
    expect(await layersOf(copy)).toHaveLength(LAYERS);
    expect(await stack.eventsOfStack(copy)).toHaveLength(USERS + 1);
  });

  test.for(["first", "second", "middle", "last"] as const)(
    "copied and interrupted at the %s of its transactions leaves nothing that counts",
    { timeout: 60_000 },
    async (which) => {
      const cut = { first: 1, second: 2, middle: Math.round(transactions / 2), last: transactions }[which];
      const seen = interruptAt("TransactWriteItems", cut);
      await expect(clone(source, { ClonePermissions: true })).rejects.toMatchObject({
        name: "InternalFailure",
      });
      stack.obstruct();
      expect(seen.count).toBe(cut);
      expect(await isAllowed(seen.copy, "many-0")).not.toBe(true);
      await expect(describeStack(seen.copy)).rejects.toBeInstanceOf(ResourceNotFoundException);
      // All of it is swept once, when the copy is deleted.
      if (which === "last") return;
      await sweepMark(seen.copy);
      expect(await leftOf(seen.copy)).toBe(0);
      for (const place of seen.places) expect(await stack.read(place)).toBeUndefined();
    },
  );

  test("copied again, with its last answer lost, is whole", { timeout: 60_000 }, async () => {
    const seen = interruptAt("TransactWriteItems", transactions, true);
    await expect(clone(source, { ClonePermissions: true })).rejects.toMatchObject({
      name: "InternalFailure",
    });
    stack.obstruct();
    expect(await grantsOn(seen.copy)).toBe(USERS);
    expect(await layersOf(seen.copy)).toHaveLength(LAYERS);
  });

  test("is deleted layer by layer, then whole, interrupted or not", { timeout: 60_000 }, async () => {
    const removal = () => admin.send(new DeleteStackCommand({ StackId: copy }));
    await expect(removal()).rejects.toThrow("the stack has 50 layers: delete the layers first");
    const interrupt = (run: () => Promise<unknown>, isDone: boolean): Promise<void> => {
      interruptAt("TransactWriteItems", 1, isDone);
      return expect(run())
        .rejects.toMatchObject({ name: "InternalFailure" })
        .finally(() => stack.obstruct());
    };
    for (const [at, { LayerId }] of (await layersOf(copy)).entries()) {
      const removalOfLayer = () => admin.send(new DeleteLayerCommand({ LayerId }));
      if (at % 10 === 0) await interrupt(removalOfLayer, false);
      if (at % 10 !== 1) await removalOfLayer();
      else {
        await interrupt(removalOfLayer, true);
        await expect(removalOfLayer()).rejects.toBeInstanceOf(ResourceNotFoundException);
      }
      if (at % 10 === 0) expect(await isAllowed(copy, `many-${at}`)).toBe(true);
    }

    await interrupt(removal, false);
    expect(await isAllowed(copy, "many-0")).toBe(true);
    expect(await grantsOn(copy)).toBe(USERS);
    await interrupt(removal, true);
    expect(await isAllowed(copy, "many-0")).not.toBe(true);
    await expect(removal()).rejects.toBeInstanceOf(ResourceNotFoundException);

    for (const cut of [1, 1000]) {
      interruptAt("DeleteItem", cut);
      await expect(sweepStack(copy)).rejects.toThrow("interrupted");
      stack.obstruct();
      expect(await leftOf(copy)).toBeGreaterThan(0);
    }
    await sweepStack(copy);
    expect(await leftOf(copy)).toBe(0);
    expect(await grantsOn(source)).toBe(USERS);
  });
});

describe("a copy of a small stack", () => {
  test("is copied though the table is too busy now and then", async () => {
    const small = await makeSource();
    await addLayer(small, "web");
    let refusals = 0;
    stack.obstruct(async ({ command, input }, pass) => {
      const isOfLayers =
        command === "TransactWriteItems" &&
        input.TransactItems.some(({ Put }: Wire) => Put?.Item.sk === "LAYER");
      if (isOfLayers && refusals < 2) {
        refusals += 1;
        const CancellationReasons = [{ Code: "ThrottlingError" }, { Code: "None" }];
        throw new TransactionCanceledException({ message: "busy", $metadata: {}, CancellationReasons });
      }
      return pass();
    });
    expect(await layersOf(await clone(small))).toHaveLength(1);
    expect(refusals).toBe(2);
  });

  test("is not copied when it changes or is deleted meanwhile, or the last write fails", {
    timeout: 60_000,
  }, async () => {
    const small = await makeSource();
    const LayerId = await addLayer(small, "web");
    for (const change of [
      () => admin.send(new UpdateStackCommand({ StackId: small, Name: "changed" })),
      () => admin.send(new UpdateLayerCommand({ LayerId, Name: "changed" })),
      () => addLayer(small, "new"),
    ]) {
      await expect(copyWhile(small, change)).rejects.toThrow(
        "was changed or deleted while it was copied, try again",
      );
    }
    const interrupt = () => Promise.reject(new Error("interrupted"));
    await expect(copyWhile(small, interrupt)).rejects.toMatchObject({ name: "InternalFailure" });
    const empty = await makeSource();
    const removal = () => admin.send(new DeleteStackCommand({ StackId: empty }));
    await expect(copyWhile(empty, removal)).rejects.toThrow("was changed or deleted while it was copied");
    expect(await layersOf(await clone(small))).toHaveLength(2);
  });

  /** Copies a stack, with something done to it just before the last transaction. */
  function copyWhile(SourceStackId: string, run: () => Promise<unknown>): Promise<string> {
    let isDone = false;
    stack.obstruct(async (request, pass) => {
      const isLast =
        request.command === "TransactWriteItems" &&
        request.input.TransactItems.some(({ Delete }: Wire) => Delete?.Key.sk === "CLONE");
      if (isLast && !isDone) {
        isDone = true;
        await run();
      }
      return pass();
    });
    return clone(SourceStackId);
  }
});

describe("the housekeeper", () => {
  test("leaves alone a copy that was finished", async () => {
    const source = await makeSource();
    await addLayer(source, "web");
    await stack.grant(source, userArn("bob"), { Level: "manage" });
    const StackId = await clone(source, { ClonePermissions: true });
    await sweepMark(StackId);
    expect(await isAllowed(StackId, "bob")).toBe(true);
    expect(await layersOf(StackId)).toHaveLength(1);
  });

  test("finds a mark that expires within the hour", async () => {
    const source = await makeSource();
    let mark: Wire;
    stack.obstruct(async ({ command, input }, pass) => {
      if (command === "TransactWriteItems")
        mark ??= input.TransactItems.find(({ Put }: Wire) => Put?.Item.sk === "CLONE")?.Put.Item;
      return pass();
    });
    await clone(source);
    expect(mark.ExpiresAt - Date.now() / 1000).toBeGreaterThan(3500);
    expect(mark.ExpiresAt - Date.now() / 1000).toBeLessThanOrEqual(3600);
  });
});

/** Takes the mark away as its expiry does, and sends what the table's stream sends then. */
async function sweepMark(StackId: string): Promise<void> {
  const key = keys.unfinishedClone(StackId);
  await stack.table.client.send(new DeleteCommand({ TableName: stack.tableName, Key: key }));
  await sweepAfter(key, StackId);
}

/** Sends what the table's stream sends after a stack was deleted. */
function sweepStack(StackId: string): Promise<void> {
  return sweepAfter(keys.stack(StackId), StackId);
}

async function sweepAfter(key: Key, StackId: string): Promise<void> {
  const Keys = { pk: { S: key.pk }, sk: { S: key.sk } };
  const event = {
    Records: [{ eventName: "REMOVE", dynamodb: { Keys, OldImage: { ...Keys, StackId: { S: StackId } } } }],
  };
  await followTable(event, {
    invokedFunctionArn: `arn:aws:lambda:${REGION}:${ACCOUNT}:function:FollowTable`,
    getRemainingTimeInMillis: () => 300_000,
  } as Parameters<typeof followTable>[1]);
}

/** How many items there still are of a stack, its events apart. */
async function leftOf(StackId: string): Promise<number> {
  const partitions: Key[] = [keys.stack(StackId), keys.layer(StackId, ""), keys.stackSettings(StackId)];
  const items = await Promise.all(partitions.map(({ pk }) => stack.partition(pk)));
  return items.flat().length;
}
