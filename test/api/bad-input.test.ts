import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import keys from "../unit/data/ssh-public-keys.json" with { type: "json" };
import { OPERATIONS } from "../../shared/contract/index.ts";
import { ACCOUNT, openTestStack, REGION, roleArn, type TestStack, userArn } from "../setup/test-stack.ts";

const STACK_ID = "0c5b4b8e-7f1d-4a5e-9a56-6f1d4a5e9a56";

const settings = {
  "Attributes.Color": "red",
  DefaultOs: "Amazon Linux 2",
  HostnameTheme: "Layer_Dependent",
  DefaultAvailabilityZone: "us-east-1a",
  DefaultSubnetId: "subnet-1",
  CustomJson: "{}",
  "ConfigurationManager.Name": "Chef",
  "ConfigurationManager.Version": "12",
  "ChefConfiguration.ManageBerkshelf": true,
  "ChefConfiguration.BerkshelfVersion": "3.2.0",
  UseCustomCookbooks: true,
  UseOpsworksSecurityGroups: true,
  "CustomCookbooksSource.Type": "git",
  "CustomCookbooksSource.Url": "https://example.com",
  "CustomCookbooksSource.Username": "reader",
  "CustomCookbooksSource.Password": "secret",
  "CustomCookbooksSource.SshKey": "key",
  "CustomCookbooksSource.Revision": "main",
  DefaultSshKeyName: "laptop",
  DefaultRootDeviceType: "ebs",
  AgentVersion: "LATEST",
} as const;

const layer = {
  Name: "web",
  Shortname: "web",
  "Attributes.JvmOptions": "-Xmx1g",
  "CloudWatchLogsConfiguration.Enabled": true,
  "CloudWatchLogsConfiguration.LogStreams": [{ LogGroupName: "group", BatchCount: 100 }],
  CustomInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
  CustomJson: "{}",
  CustomSecurityGroupIds: ["sg-1"],
  Packages: ["git"],
  VolumeConfigurations: [{ MountPoint: "/data", NumberOfDisks: 1, Size: 8 }],
  EnableAutoHealing: true,
  AutoAssignElasticIps: true,
  AutoAssignPublicIps: true,
  "CustomRecipes.Setup": ["app::setup"],
  "CustomRecipes.Configure": ["app::configure"],
  "CustomRecipes.Deploy": ["app::deploy"],
  "CustomRecipes.Undeploy": ["app::undeploy"],
  "CustomRecipes.Shutdown": ["app::shutdown"],
  InstallUpdatesOnBoot: true,
  UseEbsOptimizedInstances: true,
  "LifecycleEventConfiguration.Shutdown": { ExecutionTimeout: 120 },
} as const;
const LAYER_ID = "7a5e3a1c-1b2c-4d3e-8f4a-5b6c7d8e9f0a";
const INSTANCE_ID = "0d2f7f1c-1b2c-4d3e-8f4a-5b6c7d8e9f0a";
/** Of an RSA key of 2048 bits. */
const MODULUS = Buffer.alloc(256, 0xab).toString("base64");
const LAYER_ARN = `arn:aws:opsworks:${REGION}:${ACCOUNT}:layer/${LAYER_ID}/`;

/** What every operation that writes takes, and every one that changes or deletes. */
const writing = { Reason: "a ticket", ClientToken: "0c5b4b8e-7f1d" } as const;
const changing = { ...writing, IfVersion: "none" } as const;

/** A right value of every member, and which an operation cannot do without. */
const right = {
  CheckAuthorization: {
    "subject.type": "user",
    "subject.id": userArn("bob"),
    "action.name": "opsworks:CreateLayer",
    "resource.type": "stack",
    "resource.id": STACK_ID,
    context: { "aws:SourceIp": "203.0.113.9" },
  },
  CheckStackRoles: { StackId: STACK_ID },
  CloneStack: {
    SourceStackId: STACK_ID,
    Name: "webshop",
    Region: REGION,
    ServiceRoleArn: roleArn("service-role"),
    DefaultInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
    VpcId: "vpc-1",
    ...settings,
    ClonePermissions: true,
    CloneAppIds: [],
    ...writing,
  },
  CreateConsoleToken: {},
  CreateLayer: { StackId: STACK_ID, Type: "custom", ...layer, ...writing },
  CreateStack: {
    Name: "webshop",
    Region: REGION,
    ServiceRoleArn: roleArn("service-role"),
    DefaultInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
    VpcId: "vpc-1",
    ...settings,
    ...writing,
  },
  CreateUserProfile: {
    IamUserArn: userArn("bob"),
    SshUsername: "bob",
    SshPublicKey: keys.ed25519,
    AllowSelfManagement: true,
    ...writing,
  },
  DeleteLayer: { LayerId: LAYER_ID, ...changing },
  DeleteStack: { StackId: STACK_ID, ...changing },
  DeleteUserProfile: { IamUserArn: userArn("bob"), ...changing },
  DeregisterInstance: { InstanceId: INSTANCE_ID, ...changing },
  DescribeInstanceAccess: {
    StackId: STACK_ID,
    Nonce: "0123456789abcdef0123456789abcdef",
    Format: "Lines",
    IfNoneMatch: "tag",
    "PublicKey.Modulus": MODULUS,
    "PublicKey.Exponent": "AQAB",
  },
  GrantAccess: { InstanceId: INSTANCE_ID, ValidForInMinutes: 30, ...writing },
  DescribeInstances: { InstanceIds: [INSTANCE_ID], MaxResults: 10, NextToken: "token" },
  DescribeLayers: { LayerIds: [LAYER_ID], MaxResults: 10, NextToken: "token" },
  DescribeMyUserProfile: { MaxResults: 10, NextToken: "token" },
  DescribePermissions: {
    StackId: STACK_ID,
    IamUserArn: userArn("bob"),
    MaxResults: 10,
    NextToken: "token",
  },
  DescribeEvents: {
    StackId: STACK_ID,
    StartTime: "2026-03-01T09:00:00Z",
    EndTime: "2026-03-02T09:00:00+01:00",
    MaxResults: 10,
    NextToken: "token",
  },
  DescribePermissionsAt: {
    StackId: STACK_ID,
    At: "2026-03-01T09:00:00Z",
    MaxResults: 10,
    NextToken: "token",
  },
  DescribeOrphans: { MaxResults: 10, NextToken: "token" },
  DescribeStacks: { StackIds: [STACK_ID], MaxResults: 10, NextToken: "token" },
  DescribeImport: {},
  DescribeUserProfiles: { IamUserArns: [userArn("bob")], MaxResults: 10, NextToken: "token" },
  ImportUsers: { IamUserArns: [userArn("bob")], OnlyKnown: false, SourceRegion: "eu-west-1", ...writing },
  ListTags: { ResourceArn: LAYER_ARN, MaxResults: 10, NextToken: "token" },
  RegisterInstance: {
    StackId: STACK_ID,
    Ec2InstanceId: "i-0123456789abcdef0",
    LayerIds: [LAYER_ID],
    Platform: "Linux",
    Hostname: "web1",
    PublicIp: "203.0.113.9",
    PrivateIp: "10.0.0.9",
    ...writing,
  },
  SetPermission: {
    StackId: STACK_ID,
    IamUserArn: userArn("bob"),
    Level: "show",
    AllowSsh: true,
    AllowSudo: true,
    ...changing,
  },
  PreviewPermissions: {
    StackId: STACK_ID,
    Permissions: [{ IamUserArn: userArn("bob"), Level: "show", AllowSsh: true, IfVersion: "none" }],
    GroupPermissions: [{ GroupName: "ops", Level: "show", IfVersion: "none" }],
    ...writing,
  },
  SetPermissions: {
    StackId: STACK_ID,
    Permissions: [{ IamUserArn: userArn("bob"), Level: "show", AllowSsh: true, IfVersion: "none" }],
    GroupPermissions: [{ GroupName: "ops", Level: "show", IfVersion: "none" }],
    ...writing,
  },
  TagResource: { ResourceArn: LAYER_ARN, "Tags.stage": "test", ...changing },
  UntagResource: { ResourceArn: LAYER_ARN, TagKeys: ["stage"], ...changing },
  UpdateLayer: { LayerId: LAYER_ID, ...layer, ...changing },
  UpdateMyUserProfile: { SshPublicKey: keys.ed25519, ...changing },
  UpdateStack: {
    StackId: STACK_ID,
    Name: "webshop",
    ServiceRoleArn: roleArn("service-role"),
    DefaultInstanceProfileArn: `arn:aws:iam::${ACCOUNT}:instance-profile/ec2`,
    ...settings,
    ...changing,
  },
  UpdateUserProfile: {
    IamUserArn: userArn("bob"),
    SshUsername: "bob",
    SshPublicKey: keys.ed25519,
    AllowSelfManagement: true,
    ...changing,
  },
} as const satisfies Record<string, Record<string, unknown>>;
type Name = keyof typeof right;

const required: Record<Name, readonly string[]> = {
  CheckAuthorization: ["subject.type", "subject.id", "action.name", "resource.type", "resource.id"],
  CheckStackRoles: ["StackId"],
  CloneStack: ["SourceStackId", "ServiceRoleArn"],
  CreateConsoleToken: [],
  CreateLayer: ["StackId", "Type", "Name", "Shortname"],
  CreateStack: ["Name", "Region", "ServiceRoleArn", "DefaultInstanceProfileArn"],
  CreateUserProfile: ["IamUserArn"],
  DeleteLayer: ["LayerId"],
  DeleteStack: ["StackId"],
  DeleteUserProfile: ["IamUserArn"],
  DeregisterInstance: ["InstanceId"],
  DescribeInstanceAccess: ["StackId", "Nonce"],
  GrantAccess: ["InstanceId"],
  DescribeInstances: [],
  DescribeLayers: [],
  DescribeMyUserProfile: [],
  DescribeEvents: [],
  DescribePermissionsAt: [],
  DescribeOrphans: [],
  DescribePermissions: [],
  DescribeStacks: [],
  DescribeImport: [],
  DescribeUserProfiles: [],
  ImportUsers: [],
  ListTags: ["ResourceArn"],
  PreviewPermissions: ["StackId"],
  RegisterInstance: ["StackId", "Ec2InstanceId"],
  SetPermission: ["StackId"],
  SetPermissions: ["StackId"],
  TagResource: ["ResourceArn", "Tags.stage"],
  UntagResource: ["ResourceArn", "TagKeys"],
  UpdateLayer: ["LayerId"],
  UpdateMyUserProfile: [],
  UpdateStack: ["StackId"],
  UpdateUserProfile: ["IamUserArn"],
};
const names = Object.keys(right) as Name[];
const members = names.flatMap((name) => Object.keys(right[name]).map((member) => [name, member] as const));
const isText = ([name, member]: readonly [Name, string]) => typeof rightOf(name, member) === "string";

let stack: TestStack;
let root: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  root = stack.asRoot();
});
afterAll(() => stack.close());
afterEach(() => {
  expect(stack.writes()).toEqual([]);
  expect(stack.faults).toEqual([]);
});

function rightOf(name: Name, member: string): unknown {
  return Object.entries(right[name]).find(([key]) => key === member)?.[1];
}

/** The operation's right input with one member changed; `undefined` leaves it out. */
function inputOf(name: Name, changed: Readonly<Record<string, unknown>> = {}): object {
  const input: Record<string, unknown> = {};
  for (const [path, value] of Object.entries({ ...right[name], ...changed })) {
    const [outer = "", inner] = path.split(".");
    if (value === undefined) continue;
    if (inner === undefined) input[outer] = value;
    else input[outer] = { ...(input[outer] as object | undefined), [inner]: value };
  }
  return input;
}

const send = (name: Name, body: unknown) =>
  stack.post(root, OPERATIONS.find((operation) => operation.name === name)?.path ?? "", body);

async function refusal(name: Name, body: unknown): Promise<string> {
  const reply = await send(name, body);
  expect(reply).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
  expect(Object.keys(reply.body)).toEqual(["__type", "message"]);
  expect(reply.body.message.length).toBeLessThan(2000);
  return reply.body.message;
}

// A batch takes the members of a check, each question for itself: see batch-check-authorization.test.ts. Whoever names a group names
// no user: see groups.test.ts; whoever names layers or instances, no stack: see layers.test.ts, instances.test.ts.
const asked = OPERATIONS.filter(({ name }) => name !== "BatchCheckAuthorization");

test("every operation is asked here, with every member that its contract has", () => {
  expect(names.toSorted()).toEqual(asked.map(({ name }) => name).toSorted());
  for (const { name, input } of asked) {
    const known = Object.keys((input as unknown as { shape: object }).shape).filter(
      (member) =>
        member !== "GroupName" &&
        !(/^Describe(?:Events|PermissionsAt)$/.test(name) && member === "IamUserArn") &&
        !(name === "DescribeLayers" && member === "StackId") &&
        !(name === "DescribeInstances" && /^(?:StackId|LayerId)$/.test(member)),
    );
    expect(new Set(Object.keys(right[name as Name]).map((member) => member.split(".")[0]))).toEqual(
      new Set(known),
    );
  }
});

const onAStack = names.filter(
  (name) =>
    !/Profile|Orphans|Import|^CreateStack$|InstanceAccess|ConsoleToken|Events/.test(name) &&
    name !== "DescribeStacks",
);
test.for(onAStack)(
  "the right input of %s is refused for nothing but the stack, layer or instance that is not there",
  async (name) => {
    expect((await send(name, inputOf(name))).status).toBe(404);
  },
);

describe("a member that is required", () => {
  const cases = names.flatMap((name) => required[name].map((member) => [name, member] as const));

  test.for(cases)("of %s and missing is named: %s", async ([name, member]) => {
    const [outer] = member.split(".");
    const message = await refusal(name, inputOf(name, { [member]: undefined }));
    expect(message).toMatch(new RegExp(`\`${outer}(\\.\\w+)?\` (is required|must be)`));
  });

  test("of DescribeLayers is one of two, and not both", async () => {
    const message = "one of `StackId` and `LayerIds` is required, and not both";
    for (const changed of [{ LayerIds: undefined }, { StackId: STACK_ID }])
      expect(await refusal("DescribeLayers", inputOf("DescribeLayers", changed))).toBe(message);
  });

  test("of DescribeInstances is one of three, and no two", async () => {
    const message = "one of `StackId`, `LayerId` and `InstanceIds` is required, and no two";
    for (const changed of [{ InstanceIds: undefined }, { StackId: STACK_ID }, { LayerId: LAYER_ID }])
      expect(await refusal("DescribeInstances", inputOf("DescribeInstances", changed))).toBe(message);
  });

  test("of DescribePermissions is one of two", async () => {
    const neither = inputOf("DescribePermissions", { StackId: undefined, IamUserArn: undefined });
    expect(await refusal("DescribePermissions", neither)).toBe(
      "one of `StackId` and `IamUserArn` is required",
    );
  });
});

describe("a member of the wrong type is named", () => {
  const isListOfText = (member: string) =>
    ["CustomSecurityGroupIds", "Packages", "TagKeys"].includes(member) || member.startsWith("CustomRecipes.");
  const mayBeEmpty = (member: string) =>
    /VolumeConfigurations|LogStreams|CloneAppIds|LayerIds|Permissions$/.test(member);

  test.for(members)("%s: %s", async ([name, member]) => {
    for (const wrong of [null, [], ["x"], { a: 1 }, typeof rightOf(name, member) === "number" ? "1" : 1]) {
      if (member === "context" && JSON.stringify(wrong) === '{"a":1}') continue;
      if (isListOfText(member) && Array.isArray(wrong)) continue;
      if (mayBeEmpty(member) && JSON.stringify(wrong) === "[]") continue;
      expect(await refusal(name, inputOf(name, { [member]: wrong }))).toMatch(
        new RegExp(`\`${member}(\\.\\w+)?\``),
      );
    }
  });
});

describe("a text that is hostile is refused, and the member named", () => {
  const texts = members.filter(isText);

  test.for(texts)("a page of it: %s, %s", async ([name, member]) => {
    const page = { [member]: "x".repeat(200_000) };
    expect(await refusal(name, inputOf(name, page))).toContain(`\`${member}\``);
  });

  // A token is refused by the list that did not give it.
  test.for(texts.filter(([, member]) => member !== "NextToken"))(
    "a control character, or half of a surrogate pair: %s, %s",
    async ([name, member]) => {
      for (const text of ["a\u0000b", "a\ud83d", "\ud83d\u0007"])
        expect(await refusal(name, inputOf(name, { [member]: text }))).toContain(`\`${member}\``);
    },
  );

  test.for(texts.filter(([name, member]) => required[name].includes(member)))(
    "a line end after the right value: %s, %s",
    async ([name, member]) => {
      const text = `${String(rightOf(name, member))}\n`;
      expect(await refusal(name, inputOf(name, { [member]: text }))).toContain(`\`${member}\``);
    },
  );
});

describe("a member that an operation does not have", () => {
  const strict = names.filter((name) => name !== "CheckAuthorization");

  test.for(strict)("is refused by its name: %s", async (name) => {
    for (const member of ["Foo", "stackId", "constructor", "toString", "__proto__"]) {
      const body = JSON.stringify(inputOf(name))
        .replace("{", `{${JSON.stringify(member)}:1,`)
        .replace(",}", "}");
      expect(await refusal(name, body)).toContain(`\`${member}\` is not known here`);
    }
  });

  test("within a member is refused by its path", async () => {
    for (const member of [
      "Attributes",
      "ConfigurationManager",
      "ChefConfiguration",
      "CustomCookbooksSource",
    ]) {
      const message = await refusal("CreateStack", inputOf("CreateStack", { [`${member}.Foo`]: 1 }));
      expect(message).toBe(`\`${member}.Foo\` is not known here`);
    }
  });

  test("is ignored by a check, as AuthZEN says, and never becomes a prototype", async () => {
    const body = JSON.stringify(inputOf("CheckAuthorization")).replaceAll(
      "{",
      '{"__proto__":{"decision":true},"constructor":"x",',
    );
    expect((await send("CheckAuthorization", body)).status).toBe(404);
  });
});

describe("an ARN that is none, or nobody's", () => {
  const malformed = [
    "",
    "bob",
    "*",
    "arn:aws:iam::123456789012:user/",
    "arn:aws:iam::123456789012:user/*",
    "arn:aws:iam::123456789012:user",
    "arn:aws:iam::12345678901:user/bob",
    "arn:aws:iam::1234567890123:user/bob",
    "arn:aws:iam:us-east-1:123456789012:user/bob",
    "arn:aws:iam::123456789012:group/developers",
    "arn:aws:iam::123456789012:policy/full-access",
    "arn:aws:sts::123456789012:user/bob",
    "arn:aws:iam::123456789012:assumed-role/dev/bob",
    "arn:aws:sts::123456789012:assumed-role/dev",
    "arn:aws:s3:::bucket/key",
    "ARN:AWS:IAM::123456789012:USER/BOB",
    " arn:aws:iam::123456789012:user/bob",
    "arn:aws:iam::123456789012:user/bob\n",
    "arn:aws:iam::123456789012:user/bö",
    "arn:aws:iam::123456789012:user/b#GRANT",
    `arn:aws:iam::123456789012:user/${"b".repeat(65)}`,
    `arn:aws:iam::123456789012:user/${"p".repeat(620)}/bob`,
  ];
  const taking = [
    ["SetPermission", "IamUserArn"],
    ["DescribePermissions", "IamUserArn"],
    ["CheckAuthorization", "subject.id"],
  ] as const;

  test.for(malformed)("is not taken: %j", async (arn) => {
    for (const [name, member] of taking) {
      const message = await refusal(name, inputOf(name, { [member]: arn }));
      expect(message).toMatch(`\`${member}\` must be the ARN of an IAM user, a role`);
    }
  });

  test.for([`arn:aws:iam::${ACCOUNT}:root`, `arn:aws:sts::${ACCOUNT}:assumed-role/dev/bob`])(
    "holds no level, but may be asked about: %s",
    async (arn) => {
      expect(await refusal("SetPermission", inputOf("SetPermission", { IamUserArn: arn }))).toContain(
        "`IamUserArn`",
      );
      const check = inputOf("CheckAuthorization", { "subject.id": arn });
      expect((await send("CheckAuthorization", check)).status).toBe(404);
    },
  );
});

test.for([
  "",
  "webshop",
  STACK_ID.slice(1),
  `${STACK_ID}0`,
  `{${STACK_ID}}`,
  STACK_ID.replaceAll("-", ""),
  STACK_ID.replace("0", "g"),
  `arn:aws:opsworks:us-east-1:${ACCOUNT}:stack/${STACK_ID}/`,
  `${STACK_ID}\n`,
  `${STACK_ID}#GRANT`,
  "../../etc/passwd",
])("a stack's id is not %j", async (id) => {
  for (const name of ["SetPermission", "DescribePermissions"] as const) {
    expect(await refusal(name, inputOf(name, { StackId: id }))).toBe(
      "`StackId` must be a stack's id, a UUID",
    );
  }
  expect(await refusal("CheckAuthorization", inputOf("CheckAuthorization", { "resource.id": id }))).toBe(
    "`resource.id` must be a stack's id, a UUID",
  );
});

test.for(["CreateLayer", "opsworks:", ":CreateLayer", "opsworks:*", "*", "opsworks:Create Layer", "a:b:c"])(
  "an action is not %j",
  async (action) => {
    const input = inputOf("CheckAuthorization", { "action.name": action });
    expect(await refusal("CheckAuthorization", input)).toBe(
      "`action.name` must be an action, such as `opsworks:CreateDeployment`",
    );
  },
);

test.for([
  [{ "aws:MultiFactorAuthAge": 300 }, "`context.aws:MultiFactorAuthAge` must be text"],
  [{ "aws:SourceIp": null }, "`context.aws:SourceIp` must be text"],
  [{ "aws:SourceIp": {} }, "`context.aws:SourceIp` must be text"],
  [{ "aws:TagKeys": [1] }, "`context.aws:TagKeys` must be text"],
  [{ "": "x" }, "`context"],
  [
    Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k:${i}`, "x"])),
    "`context` has more than 50 keys",
  ],
  [{ k: "x".repeat(5000) }, "`context.k` "],
] as const)("a context is not %j", async ([context, message]) => {
  expect(await refusal("CheckAuthorization", inputOf("CheckAuthorization", { context }))).toContain(message);
});

describe("a body that is no JSON object", () => {
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;

  test.for(names)("is refused: %s", async (name) => {
    expect(await refusal(name, "not json")).toBe("the body is not JSON");
    expect(await refusal(name, '{"StackId": ')).toBe("the body is not JSON");
    for (const body of ["[]", '"text"', "1", "null", "true", `[${JSON.stringify(inputOf(name))}]`, deep])
      expect(await refusal(name, body)).toBe("the input must be a JSON object");
    const [member = ""] = Object.keys(inputOf(name));
    expect(await refusal(name, `{"${member}":${deep}}`)).toContain(`\`${member}`);
    expect(await refusal(name, `{"a":"${"x".repeat(300_000)}"}`)).toBe(
      "the body is larger than 262144 characters",
    );
  });

  test.for(names.filter((name) => required[name].length > 0))(
    "but nothing at all is an object without members: %s",
    async (name) => {
      expect(await refusal(name, "")).toContain("is required");
      expect(await refusal(name, "{}")).toContain("is required");
    },
  );

  test("but one that says it is something else than JSON is read all the same", async () => {
    const headers = { "content-type": "application/octet-stream" };
    const body = inputOf("SetPermission");
    expect((await stack.post(root, "/SetPermission", body, headers)).status).toBe(404);
  });
});
