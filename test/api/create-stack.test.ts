import { QueryCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  arnOfStack,
  iamUser,
  INSTANCE_PROFILE,
  openTestStack,
  policy,
  REGION,
  SERVICE_ROLE,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const required = {
  Name: "webshop",
  Region: REGION,
  ServiceRoleArn: SERVICE_ROLE,
  DefaultInstanceProfileArn: INSTANCE_PROFILE,
};
const settings = {
  VpcId: "vpc-0123",
  Attributes: { Color: "rgb(45, 114, 184)" },
  DefaultOs: "Amazon Linux 2",
  HostnameTheme: "Layer_Dependent",
  DefaultAvailabilityZone: "us-east-1a",
  DefaultSubnetId: "subnet-0123",
  CustomJson: '{"key": "välue"}',
  ConfigurationManager: { Name: "Chef", Version: "12" },
  ChefConfiguration: { ManageBerkshelf: true, BerkshelfVersion: "3.2.0" },
  UseCustomCookbooks: true,
  UseOpsworksSecurityGroups: false,
  CustomCookbooksSource: {
    Type: "git",
    Url: "https://example.com/cookbooks.git",
    Username: "reader",
    Password: "secret",
    SshKey: "-----BEGIN KEY-----\nabc\n-----END KEY-----\n",
    Revision: "main",
  },
  DefaultSshKeyName: "laptop",
  DefaultRootDeviceType: "ebs",
  AgentVersion: "LATEST",
};

let stack: TestStack;
let creator: Identity;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("creator", { policies: { create: policy("Allow", ["opsworks:CreateStack", "iam:PassRole"]) } }),
      iamUser("auditor", { policies: { audit: policy("Allow", "opsworks:DescribePermissions") } }),
      iamUser("manager"),
    ],
    RoleDetailList: stackRoles(),
  });
  await stack.grant(await stack.addStack(), userArn("manager"), { Level: "manage" });
  creator = stack.asUser("creator");
});
afterAll(() => stack.close());
beforeEach(() => void (stack.sent.length = 0));

const create = (as: Identity, input: object) => stack.post(as, "/CreateStack", input);

describe("a new stack", () => {
  test("has an id of its own, and the facts that a check needs", async () => {
    const { status, body } = await create(creator, required);
    expect(status).toBe(200);
    expect(body).toEqual({ StackId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    expect(await stack.read(keys.stack(body.StackId))).toMatchObject({
      ...required,
      StackId: body.StackId,
      Arn: arnOfStack(body.StackId),
      Tags: {},
    });
  });

  test("keeps every member that OpsWorks has, apart from what a check reads", async () => {
    const { status, body } = await create(creator, { ...required, ...settings });
    expect(status).toBe(200);
    const key = keys.stackSettings(body.StackId);
    expect(await stack.read(key)).toEqual({ ...settings, ...key });
    const facts = await stack.read(keys.stack(body.StackId));
    for (const member of Object.keys(settings)) expect(facts).not.toHaveProperty(member);
  });

  test("is iam_only for everybody, without a grant for anybody", async () => {
    const { body } = await create(creator, required);
    const partition = await stack.table.client.send(
      new QueryCommand({
        TableName: stack.tableName,
        KeyConditionExpression: "pk = :pk",
        ExpressionAttributeValues: { ":pk": keys.stack(body.StackId).pk },
      }),
    );
    expect(partition.Items?.map(({ sk }) => sk)).toEqual(["STACK"]);
    const rows = await stack.post(stack.asUser("auditor"), "/DescribePermissions", { StackId: body.StackId });
    const nothing = { Level: "iam_only", AllowSsh: false, AllowSudo: false };
    expect(rows.body.Permissions).toHaveLength(3 + stackRoles().length);
    for (const row of rows.body.Permissions) expect(row).toMatchObject(nothing);
  });

  test("may have the name of another: the id tells them apart", async () => {
    const [first, second] = [await create(creator, required), await create(creator, required)];
    expect([first.status, second.status]).toEqual([200, 200]);
    expect(first.body.StackId).not.toBe(second.body.StackId);
  });

  test("is on its trail, without its secrets, in the same transaction", async () => {
    const { body } = await create(creator, { ...required, ...settings });
    const { Name, ServiceRoleArn, DefaultInstanceProfileArn } = required;
    const events = await stack.eventsOfStack(body.StackId);
    expect(events).toMatchObject([
      {
        Operation: "CreateStack",
        Caller: creator.userArn,
        StackId: body.StackId,
        After: { Name, ServiceRoleArn, DefaultInstanceProfileArn },
      },
    ]);
    expect(JSON.stringify(events)).not.toContain("secret");
    expect(stack.writes().map(({ command }) => command)).toEqual(["TransactWriteItems"]);
    expect(stack.writes()[0]?.input.TransactItems).toHaveLength(3);
  });
});

describe("who may create one", () => {
  test("is no manager of another stack: it takes a policy", async () => {
    const manager = stack.asUser("manager");
    expect(await create(manager, required)).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: `User: ${manager.userArn} is not authorized to perform: opsworks:CreateStack on resource: * (default-deny: nothing allows it: only a policy can)`,
      },
    });
    expect(stack.writes()).toEqual([]);
  });

  test("is the account root", async () => {
    expect((await create(stack.asRoot(), required)).status).toBe(200);
  });
});

describe("what is no stack", () => {
  const refusal = async (change: object) => {
    const reply = await create(creator, { ...required, ...change });
    expect(reply).toMatchObject({ status: 400, body: { __type: "ValidationException" } });
    expect(stack.writes()).toEqual([]);
    return reply.body.message;
  };

  test("is one in another region, which has a deployment of its own", async () => {
    expect(await refusal({ Region: "eu-west-1" })).toBe(
      "`Region` must be `us-east-1`: each region has its own deployment",
    );
  });

  test.for(["", "n".repeat(65), "a\u0007b", "line\nbreak", "half \ud83d"])(
    "is one named %j",
    async (Name) => {
      expect(await refusal({ Name })).toMatch(/^`Name` must /);
    },
  );

  test("is one whose name has 65 characters, while 64 will do", async () => {
    expect((await create(creator, { ...required, Name: "n".repeat(64) })).status).toBe(200);
  });

  test.for([
    ["ServiceRoleArn", required.DefaultInstanceProfileArn],
    ["ServiceRoleArn", "arn:aws:sts::123456789012:role/aws-opsworks-service-role"],
    ["ServiceRoleArn", "aws-opsworks-service-role"],
    ["DefaultInstanceProfileArn", required.ServiceRoleArn],
    ["DefaultInstanceProfileArn", "arn:aws:iam::1:instance-profile/x"],
  ] as const)("is one whose %s is %s", async ([member, value]) => {
    expect(await refusal({ [member]: value })).toMatch(`\`${member}\` must be the ARN of`);
  });

  test.for([
    ["`CustomJson` must be JSON", { CustomJson: "{not json" }],
    ["`CustomJson` must have at most 122880 bytes", { CustomJson: JSON.stringify("é".repeat(61_440)) }],
    ["`Attributes.Colour` is not known here", { Attributes: { Colour: "red" } }],
    ["`ConfigurationManager.Color` is not known here", { ConfigurationManager: { Color: "" } }],
    [
      "`CustomCookbooksSource.Type` must be one of `git`, `svn`, `archive`, `s3`",
      { CustomCookbooksSource: { Type: "hg" } },
    ],
    [
      "`CustomCookbooksSource.SshKey` must be text without control characters",
      { CustomCookbooksSource: { SshKey: "\ud83d" } },
    ],
    ["`Tags` is not known here", { Tags: { team: "shop" } }],
    ["`DefaultRootDeviceType` must be one of `ebs`, `instance-store`", { DefaultRootDeviceType: "floppy" }],
  ] as const)("is one of which is said: %s", async ([message, change]) => {
    expect(await refusal(change)).toBe(message);
  });
});

test("the largest settings that are accepted fit into an item", async () => {
  const CustomJson = JSON.stringify("é".repeat(61_439));
  expect(Buffer.byteLength(CustomJson)).toBe(122_880);
  const CustomCookbooksSource = { SshKey: "\u20ac".repeat(16_384), Password: "\u20ac".repeat(4096) };
  expect(await create(creator, { ...required, CustomJson, CustomCookbooksSource })).toMatchObject({
    status: 200,
  });
});
