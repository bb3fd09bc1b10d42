import { randomUUID } from "node:crypto";
import {
  CreateLayerCommand,
  type CreateLayerCommandInput,
  DeleteLayerCommand,
  DeleteStackCommand,
  DescribeLayersCommand,
  DescribeStacksCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  UpdateLayerCommand,
  UpdateStackCommand,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { keys } from "../../shared/table/keys.ts";
import {
  ACCOUNT,
  iamUser,
  ANY_VERSION,
  openTestStack,
  policy,
  REGION,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";
import { opsWorksClient } from "./opsworks-client.ts";

const profile = (name: string) => `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`;

const WHOLE = {
  Type: "java-app" as const,
  Name: "Java App Server",
  Shortname: "java-app_1.0",
  Attributes: { Jvm: "openjdk", JvmVersion: "7", JvmOptions: "-Xmx1g" },
  CloudWatchLogsConfiguration: {
    Enabled: true,
    LogStreams: [
      {
        LogGroupName: "catalina",
        DatetimeFormat: "%d %b",
        TimeZone: "UTC" as const,
        File: "/var/log/*.log",
        FileFingerprintLines: "1-2",
        MultiLineStartPattern: "{datetime_format}",
        InitialPosition: "start_of_file" as const,
        Encoding: "utf_8" as const,
        BufferDuration: 5000,
        BatchCount: 1000,
        BatchSize: 32_768,
      },
    ],
  },
  CustomInstanceProfileArn: profile("of-the-layer"),
  CustomJson: '{"a": {"b": 1}}',
  CustomSecurityGroupIds: ["sg-1", "sg-2"],
  Packages: ["git", "vim"],
  VolumeConfigurations: [
    {
      MountPoint: "/data",
      RaidLevel: 0,
      NumberOfDisks: 2,
      Size: 100,
      VolumeType: "io1",
      Iops: 1000,
      Encrypted: true,
    },
    { MountPoint: "/logs", NumberOfDisks: 1, Size: 8 },
  ],
  EnableAutoHealing: true,
  AutoAssignElasticIps: false,
  AutoAssignPublicIps: true,
  CustomRecipes: {
    Setup: ["app::setup"],
    Configure: ["app::configure", "app::more"],
    Deploy: ["app::deploy"],
    Undeploy: [],
    Shutdown: ["app::shutdown"],
  },
  InstallUpdatesOnBoot: true,
  UseEbsOptimizedInstances: false,
  LifecycleEventConfiguration: {
    Shutdown: { ExecutionTimeout: 120, DelayUntilElbConnectionsDrained: true },
  },
} satisfies Omit<CreateLayerCommandInput, "StackId">;

let stack: TestStack;
let admin: OpsWorksClient;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", ["opsworks:*", "iam:PassRole"]) } }),
      iamUser("policy", {
        policies: { layers: policy("Allow", "opsworks:*Layer*", "arn:aws:opsworks:*:*:stack/*") },
      }),
      ...["nobody", "show", "deploy", "manage"].map((name) => iamUser(name)),
    ],
    RoleDetailList: stackRoles({ profiles: ["of-the-layer", "new", "own"] }),
  });
  admin = as("admin");
});
afterAll(() => stack.close());
afterEach(() => stack.obstruct());

const as = (name: string) => opsWorksClient(stack.url, stack.asUser(name));

async function create(StackId: string, input: object = {}, client = admin): Promise<string> {
  const layer = { StackId, Type: "custom" as const, Name: "layer", Shortname: randomUUID().slice(0, 8) };
  return (await client.send(new CreateLayerCommand({ ...layer, ...input }))).LayerId ?? "";
}
const describeOf = async (StackId: string, client = admin): Promise<Wire[]> =>
  (await client.send(new DescribeLayersCommand({ StackId }))).Layers ?? [];
const describeThese = async (LayerIds: string[], client = admin): Promise<Wire[]> =>
  (await client.send(new DescribeLayersCommand({ LayerIds }))).Layers ?? [];
const denied = { name: "AccessDeniedException" };

describe("a layer", () => {
  test("comes back with every member as it was sent, and with the instance profile that applies", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId, WHOLE);
    const whole = {
      ...WHOLE,
      LayerId,
      StackId,
      Arn: `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${LayerId}/`,
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      InstanceProfileArn: WHOLE.CustomInstanceProfileArn,
      ...ANY_VERSION,
    };
    expect(await describeOf(StackId)).toEqual([whole]);
    expect(await describeThese([LayerId])).toEqual([whole]);
  });

  test("without a profile of its own has the stack's, also when that changes", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId);
    const [before] = await describeOf(StackId);
    expect(before).toMatchObject({ InstanceProfileArn: profile("ec2") });
    expect(before).not.toHaveProperty("CustomInstanceProfileArn");
    await admin.send(new UpdateStackCommand({ StackId, DefaultInstanceProfileArn: profile("new") }));
    expect(await describeOf(StackId)).toMatchObject([{ InstanceProfileArn: profile("new") }]);
    await admin.send(new UpdateLayerCommand({ LayerId, CustomInstanceProfileArn: profile("own") }));
    expect(await describeThese([LayerId])).toMatchObject([{ InstanceProfileArn: profile("own") }]);
  });

  test("keeps what an update leaves out", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId, WHOLE);
    const [before] = await describeOf(StackId);
    const change = { Name: "Renamed", CustomRecipes: { Setup: ["other::setup"] }, Packages: [] };
    await admin.send(new UpdateLayerCommand({ LayerId, ...change }));
    expect(await describeOf(StackId)).toEqual([{ ...before, ...change, ...ANY_VERSION }]);
    await admin.send(new UpdateLayerCommand({ LayerId, Shortname: "renamed" }));
    expect(await describeOf(StackId)).toEqual([
      { ...before, ...change, Shortname: "renamed", ...ANY_VERSION },
    ]);
  });

  test("shows its passwords to nobody, and keeps one that comes back filtered", async () => {
    const StackId = await stack.addStack();
    const Attributes = { MysqlRootPassword: "hush", MysqlRootPasswordUbiquitous: "true" };
    const LayerId = await create(StackId, { Type: "db-master", Attributes });
    const shown = { ...Attributes, MysqlRootPassword: "*****FILTERED*****" };
    expect(await describeOf(StackId)).toMatchObject([{ Attributes: shown }]);
    await admin.send(new UpdateLayerCommand({ LayerId, Attributes: shown }));
    expect(await stack.read(keys.layer(StackId, LayerId))).toMatchObject({ Attributes });
    const events = JSON.stringify(await stack.eventsOfStack(StackId));
    expect(events).toContain("MysqlRootPassword");
    expect(events).not.toContain("hush");
    for (const input of [
      new CreateLayerCommand({ StackId, Type: "db-master", Name: "x", Shortname: "x", Attributes: shown }),
      new UpdateLayerCommand({ LayerId, Attributes: { GangliaPassword: "*****FILTERED*****" } }),
    ]) {
      await expect(admin.send(input as CreateLayerCommand)).rejects.toThrow(
        "is filtered: give the secret itself",
      );
    }
  });

  test("is gone when it is deleted, and its stack can be deleted then, not before", async () => {
    const StackId = await stack.addStack();
    const [one, two] = [await create(StackId), await create(StackId)];
    const remove = () => admin.send(new DeleteStackCommand({ StackId }));
    await expect(remove()).rejects.toThrow("the stack has 2 layers: delete the layers first");
    await admin.send(new DeleteLayerCommand({ LayerId: one }));
    await expect(remove()).rejects.toBeInstanceOf(ValidationException);
    await admin.send(new DeleteLayerCommand({ LayerId: two }));
    expect(await describeOf(StackId)).toEqual([]);
    await expect(admin.send(new DeleteLayerCommand({ LayerId: two }))).rejects.toThrow(
      `Unable to find layer with ID ${two}`,
    );
    await remove();
    await expect(describeOf(StackId)).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  test("leaves an event of each change, before and after", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId, { Name: "old" });
    await admin.send(new UpdateLayerCommand({ LayerId, Name: "new" }));
    await admin.send(new DeleteLayerCommand({ LayerId }));
    expect(await stack.eventsOfStack(StackId)).toMatchObject([
      { Operation: "CreateLayer", Caller: userArn("admin"), After: { LayerId, Name: "old" } },
      { Operation: "UpdateLayer", Before: { LayerId, Name: "old" }, After: { LayerId, Name: "new" } },
      { Operation: "DeleteLayer", Before: { LayerId, Name: "new" } },
    ]);
  });

  test("does not show in what DescribeStacks says of its stack, nor do the levels of groups", async () => {
    const StackId = await stack.addStack();
    await stack.addGroups("ops");
    await stack.post(stack.asUser("admin"), "/SetPermission", { StackId, GroupName: "ops", Level: "show" });
    await create(StackId);
    const { Stacks } = await admin.send(new DescribeStacksCommand({ StackIds: [StackId] }));
    expect(Object.keys(Stacks?.[0] ?? {}).toSorted()).toEqual(
      [
        "Arn",
        "CreatedAt",
        "DefaultInstanceProfileArn",
        "Name",
        "Region",
        "ServiceRoleArn",
        "StackId",
        "Version",
      ].toSorted(),
    );
  });
});

describe("what is refused writes nothing", () => {
  const tooLarge = {
    CustomJson: JSON.stringify("x".repeat(122_000)),
    CustomRecipes: { Setup: Array.from({ length: 100 }, () => "é".repeat(256)) },
    Packages: Array.from({ length: 100 }, () => "x".repeat(256)),
  };
  test.for([
    ["a name of 101 characters", { Name: "x".repeat(101) }, "`Name` must have 1 to 100 characters"],
    ["a name on two lines", { Name: "a\nb" }, "`Name` must have"],
    ["a short name of 33 characters", { Shortname: "x".repeat(33) }, "`Shortname` must have 1 to 32"],
    ["a short name with a space", { Shortname: "a b" }, "`Shortname` must have"],
    ["an unknown type", { Type: "windows" }, "`Type` must be one of `aws-flow-ruby`"],
    [
      "a role for an instance profile",
      { CustomInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:role/x` },
      "`CustomInstanceProfileArn` must be the ARN of an instance profile",
    ],
    [
      "an instance profile of another service",
      { CustomInstanceProfileArn: `arn:aws:ec2::${ACCOUNT}:instance-profile/x` },
      "`CustomInstanceProfileArn`",
    ],
    ["custom JSON that is none", { CustomJson: "{" }, "`CustomJson` must be JSON"],
    [
      "an attribute that OpsWorks had not",
      { Attributes: { Foo: "x" } },
      "`Attributes.Foo` is not known here",
    ],
    [
      "an attribute called `__proto__`",
      { Attributes: JSON.parse('{"__proto__": "x"}') as object },
      "`Attributes.__proto__` is not known here",
    ],
    [
      "half a disk",
      { VolumeConfigurations: [{ MountPoint: "/", NumberOfDisks: 0.5, Size: 1 }] },
      "NumberOfDisks",
    ],
    [
      "a volume without a size",
      { VolumeConfigurations: [{ MountPoint: "/", NumberOfDisks: 1 }] },
      "is required",
    ],
    ["more than fits into an item", tooLarge, "the layer is larger than 180000 bytes"],
  ] as const)("%s", async ([, wrong, message]) => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId, WHOLE);
    const before = await describeOf(StackId);
    stack.sent.length = 0;
    const post = (path: string, body: object) => stack.post(stack.asUser("admin"), path, body);
    const given = { Type: "custom", Name: "n", Shortname: "s", ...wrong };
    const created = await post("/CreateLayer", { StackId, ...given });
    expect(created).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
    expect(created.body.message).toContain(message);
    if (!("Type" in wrong)) expect((await post("/UpdateLayer", { LayerId, ...wrong })).status).toBe(400);
    expect(stack.writes()).toEqual([]);
    expect(await describeOf(StackId)).toEqual(before);
  });

  test("another type for a layer that is there", async () => {
    const LayerId = await create(await stack.addStack());
    const update = new UpdateLayerCommand({ LayerId, Type: "web" } as Wire);
    await expect(admin.send(update)).rejects.toThrow("`Type` is not known here");
    expect(await describeThese([LayerId])).toMatchObject([{ Type: "custom" }]);
  });

  test("a short name that another layer of the stack has; another stack's may be the same", async () => {
    const [StackId, other] = [await stack.addStack(), await stack.addStack()];
    await create(StackId, { Shortname: "web" });
    const LayerId = await create(StackId, { Shortname: "db" });
    await create(other, { Shortname: "web" });
    stack.sent.length = 0;
    await expect(create(StackId, { Shortname: "web" })).rejects.toThrow("`Shortname` web is taken");
    await expect(admin.send(new UpdateLayerCommand({ LayerId, Shortname: "web" }))).rejects.toThrow(
      "is taken",
    );
    expect(stack.writes()).toEqual([]);
    await admin.send(new UpdateLayerCommand({ LayerId, Shortname: "db", Name: "same" }));
  });

  test("the hundred and first layer of a stack", async () => {
    const StackId = await stack.addStack();
    const item = await stack.read(keys.stack(StackId));
    await stack.put({ ...item, LayerCount: 100 });
    await expect(create(StackId)).rejects.toThrow("a stack has at most 100 layers");
  });

  test("DescribeLayers of a stack and of layers at once, of neither, of more than 100", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId);
    for (const input of [{}, { StackId, LayerIds: [LayerId] }, { LayerIds: [] }])
      await expect(admin.send(new DescribeLayersCommand(input))).rejects.toBeInstanceOf(ValidationException);
    const LayerIds = Array.from({ length: 101 }, () => LayerId);
    await expect(describeThese(LayerIds)).rejects.toThrow("must name at most 100 layers");
  });
});

describe("who may", () => {
  const every = (StackId: string, LayerId: string, client: OpsWorksClient) => ({
    DescribeLayers: () => describeOf(StackId, client),
    "DescribeLayers by id": () => describeThese([LayerId], client),
    UpdateLayer: () => client.send(new UpdateLayerCommand({ LayerId, Name: "changed" })),
    CreateLayer: () => create(StackId, {}, client),
    DeleteLayer: () => client.send(new DeleteLayerCommand({ LayerId })),
  });
  const all = ["DescribeLayers", "DescribeLayers by id", "UpdateLayer", "CreateLayer", "DeleteLayer"];

  test.for([
    ["nobody", []],
    ["show", ["DescribeLayers", "DescribeLayers by id"]],
    ["deploy", ["DescribeLayers", "DescribeLayers by id"]],
    ["manage", all],
    ["policy", all],
  ] as const)("somebody with %s may %j", async ([who, may]) => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId);
    if (who === "show" || who === "deploy" || who === "manage")
      await stack.grant(StackId, userArn(who), { Level: who });
    const done: string[] = [];
    for (const [name, send] of Object.entries(every(StackId, LayerId, as(who)))) {
      stack.sent.length = 0;
      try {
        await send();
        done.push(name);
      } catch (error) {
        expect(error).toMatchObject(denied);
        expect(stack.writes()).toEqual([]);
      }
    }
    expect(done).toEqual(may);
  });

  test("know that a layer is not there: who is allowed the action everywhere", async () => {
    const StackId = await stack.addStack();
    await stack.grant(StackId, userArn("manage"), { Level: "manage" });
    const there = await create(StackId);
    const gone = randomUUID();
    for (const send of [
      (client: OpsWorksClient) => client.send(new UpdateLayerCommand({ LayerId: gone })),
      (client: OpsWorksClient) => client.send(new DeleteLayerCommand({ LayerId: gone })),
      (client: OpsWorksClient) => describeThese([gone], client),
      (client: OpsWorksClient) => describeThese([there, gone], client),
    ]) {
      await expect(send(admin)).rejects.toThrow(`Unable to find layer with ID ${gone}`);
      await expect(send(admin)).rejects.toBeInstanceOf(ResourceNotFoundException);
      await expect(send(as("manage"))).rejects.toMatchObject(denied);
      await expect(send(as("manage"))).rejects.toThrow(`no stack has ${gone}, so it was asked of all stacks`);
      await expect(send(as("nobody"))).rejects.toMatchObject(denied);
    }
  });

  test("describe layers of two stacks: who may on both; they come in the order they were named", async () => {
    const [one, two] = [await stack.addStack(), await stack.addStack()];
    const LayerIds = [await create(two), await create(one), await create(two)];
    const show = as("show");
    await stack.grant(one, userArn("show"), { Level: "show" });
    await expect(describeThese(LayerIds, show)).rejects.toMatchObject(denied);
    await stack.grant(two, userArn("show"), { Level: "show" });
    expect((await describeThese(LayerIds, show)).map(({ LayerId }) => LayerId)).toEqual(LayerIds);
  });
});

test("layers come in pages too, each once", async () => {
  const StackId = await stack.addStack();
  const ids = [await create(StackId), await create(StackId), await create(StackId)];
  const found: string[] = [];
  let NextToken: string | undefined;
  do {
    const input = { StackId, MaxResults: 2, NextToken };
    const { body } = await stack.post(stack.asUser("admin"), "/DescribeLayers", input);
    found.push(...body.Layers.map(({ LayerId }: Wire) => LayerId));
    NextToken = body.NextToken;
  } while (NextToken !== undefined);
  expect(found).toEqual(ids.toSorted());
});

describe("at the same moment", () => {
  test("of layers with the same short name one is made", async () => {
    const StackId = await stack.addStack();
    const tries = Array.from({ length: 5 }, () => create(StackId, { Shortname: "web" }));
    const ended = await Promise.allSettled(tries);
    expect(ended.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const one of ended)
      if (one.status === "rejected") expect(one.reason).toBeInstanceOf(ValidationException);
    expect(await describeOf(StackId)).toHaveLength(1);
  });

  test("different layers are all made, and counted", async () => {
    const StackId = await stack.addStack();
    await Promise.all(Array.from({ length: 4 }, () => create(StackId)));
    expect(await stack.read(keys.stack(StackId))).toMatchObject({ LayerCount: 4 });
    expect(await describeOf(StackId)).toHaveLength(4);
  });

  /** Runs something just before the first write that puts or deletes what `isIt` knows. */
  const before = (isIt: (request: Wire) => boolean, run: () => Promise<unknown>) => {
    let isDone = false;
    stack.obstruct(async ({ command, input }, pass) => {
      if (!isDone && command === "TransactWriteItems" && input.TransactItems.some(isIt)) {
        isDone = true;
        await run();
      }
      return pass();
    });
  };

  test("a stack is deleted, and a layer created in it is refused", async () => {
    const StackId = await stack.addStack();
    before(
      ({ Put }) => Put?.Item.sk === "STACK" && Put.Item.LayerCount === 1,
      () => admin.send(new DeleteStackCommand({ StackId })),
    );
    const input = { StackId, Type: "custom" as const, Name: "n", Shortname: "s" };
    await expect(admin.send(new CreateLayerCommand(input))).rejects.toBeInstanceOf(ResourceNotFoundException);
    expect(await layersIn(StackId)).toBe(0);
  });

  test("a layer is created, and its stack is not deleted", async () => {
    const StackId = await stack.addStack();
    before(
      ({ Delete }) => Delete?.Key.sk === "STACK",
      () => create(StackId),
    );
    await expect(admin.send(new DeleteStackCommand({ StackId }))).rejects.toThrow("delete the layers first");
    expect(await describeOf(StackId)).toHaveLength(1);
  });

  test("whoever comes first, there is never a layer without a stack", async () => {
    for (let round = 0; round < 15; round += 1) {
      const StackId = await stack.addStack();
      await Promise.allSettled([
        create(StackId),
        admin.send(new DeleteStackCommand({ StackId })),
        create(StackId),
      ]);
      const item = await stack.read(keys.stack(StackId));
      expect(await layersIn(StackId)).toBe(item?.LayerCount ?? 0);
    }
  });

  test("two updates of a layer are both kept", async () => {
    const StackId = await stack.addStack();
    const LayerId = await create(StackId);
    before(
      ({ Put }) => Put?.Item.Name === "first",
      () => admin.send(new UpdateLayerCommand({ LayerId, Packages: ["second"] })),
    );
    await admin.send(new UpdateLayerCommand({ LayerId, Name: "first" }));
    expect(await describeOf(StackId)).toMatchObject([{ Name: "first", Packages: ["second"] }]);
  });

  const layersIn = async (StackId: string) => (await stack.partition(keys.layer(StackId, "").pk)).length;
});
