import {
  CreateStackCommand,
  DeleteStackCommand,
  DescribePermissionsCommand,
  DescribeStacksCommand,
  type OpsWorksClient,
  ResourceNotFoundException,
  UpdateStackCommand,
  ValidationException,
} from "@aws-sdk/client-opsworks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  arnOfStack,
  iamUser,
  INSTANCE_PROFILE,
  ANY_VERSION,
  openTestStack,
  policy,
  REGION,
  roleArn,
  SERVICE_ROLE,
  stackRoles,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";
import { keys } from "../../shared/table/keys.ts";
import { opsWorksClient } from "./opsworks-client.ts";

const WHOLE = {
  Name: "webshop",
  Region: REGION,
  VpcId: "vpc-1",
  Attributes: { Color: "rgb(45, 114, 184)" },
  ServiceRoleArn: SERVICE_ROLE,
  DefaultInstanceProfileArn: INSTANCE_PROFILE,
  DefaultOs: "Amazon Linux 2",
  HostnameTheme: "Layer_Dependent",
  DefaultAvailabilityZone: "us-east-1a",
  DefaultSubnetId: "subnet-1",
  CustomJson: '{"a": {"b": 1}}',
  ConfigurationManager: { Name: "Chef", Version: "12" },
  ChefConfiguration: { ManageBerkshelf: false, BerkshelfVersion: "3.2.0" },
  UseCustomCookbooks: true,
  UseOpsworksSecurityGroups: false,
  CustomCookbooksSource: {
    Type: "git" as const,
    Url: "https://example.com/cookbooks.git",
    Username: "git",
    Password: "hush",
    SshKey: "secret",
    Revision: "main",
  },
  DefaultSshKeyName: "key",
  DefaultRootDeviceType: "ebs" as const,
  AgentVersion: "LATEST",
};

let stack: TestStack;
let admin: OpsWorksClient;
let bob: OpsWorksClient;

beforeAll(async () => {
  stack = await openTestStack();
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", { policies: { all: policy("Allow", ["opsworks:*", "iam:PassRole"]) } }),
      iamUser("bob"),
      iamUser("looker", {
        policies: { look: policy("Allow", "opsworks:Describe*", "arn:aws:opsworks:*:*:stack/*") },
      }),
    ],
    RoleDetailList: stackRoles(),
  });
  admin = opsWorksClient(stack.url, stack.asUser("admin"));
  bob = opsWorksClient(stack.url, stack.asUser("bob"));
});
afterAll(() => stack.close());

const createWhole = async () => (await admin.send(new CreateStackCommand(WHOLE))).StackId ?? "";
const describeOne = async (StackId: string, client = admin) =>
  (await client.send(new DescribeStacksCommand({ StackIds: [StackId] }))).Stacks?.[0];

describe("a stack", () => {
  test("comes back with every member as it was sent, its secrets filtered", async () => {
    const StackId = await createWhole();
    expect(await describeOne(StackId)).toEqual({
      ...WHOLE,
      CustomCookbooksSource: {
        ...WHOLE.CustomCookbooksSource,
        Password: "*****FILTERED*****",
        SshKey: "*****FILTERED*****",
      },
      StackId,
      Arn: arnOfStack(StackId),
      CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      ...ANY_VERSION,
    });
  });

  test("keeps what an update leaves out, and a secret that comes back filtered", async () => {
    const StackId = await createWhole();
    const shown = await describeOne(StackId);
    await admin.send(
      new UpdateStackCommand({
        StackId,
        Name: "shop",
        DefaultOs: "Ubuntu",
        CustomCookbooksSource: shown?.CustomCookbooksSource,
      }),
    );
    expect(await describeOne(StackId)).toEqual({
      ...shown,
      Name: "shop",
      DefaultOs: "Ubuntu",
      ...ANY_VERSION,
    });
    expect(await stack.read(keys.stackSettings(StackId))).toMatchObject({
      CustomCookbooksSource: WHOLE.CustomCookbooksSource,
    });
  });

  test("gives no secret to another source than the one it was given for", async () => {
    const StackId = await createWhole();
    const shown = (await describeOne(StackId))?.CustomCookbooksSource;
    for (const change of [{ Url: "https://elsewhere.example" }, { Type: "svn" as const }]) {
      const update = new UpdateStackCommand({ StackId, CustomCookbooksSource: { ...shown, ...change } });
      await expect(admin.send(update)).rejects.toThrow("is filtered: give the secret itself");
    }
    const copied = new CreateStackCommand({ ...WHOLE, CustomCookbooksSource: shown });
    await expect(admin.send(copied)).rejects.toBeInstanceOf(ValidationException);
  });

  test("keeps its service role", async () => {
    const StackId = await createWhole();
    await admin.send(new UpdateStackCommand({ StackId, ServiceRoleArn: WHOLE.ServiceRoleArn }));
    const other = new UpdateStackCommand({ StackId, ServiceRoleArn: roleArn("other") });
    await expect(admin.send(other)).rejects.toBeInstanceOf(ValidationException);
  });

  test("is gone when it is deleted, and so is what anybody had on it", async () => {
    const StackId = await createWhole();
    await stack.grant(StackId, userArn("bob"), { Level: "manage" });
    await bob.send(new DeleteStackCommand({ StackId }));
    await expect(describeOne(StackId)).rejects.toBeInstanceOf(ResourceNotFoundException);
    await expect(describeOne(StackId, bob)).rejects.toMatchObject({ name: "AccessDeniedException" });
    await expect(admin.send(new DescribePermissionsCommand({ StackId }))).rejects.toBeInstanceOf(
      ResourceNotFoundException,
    );
  });
});

describe("DescribeStacks", () => {
  test("of all stacks takes the permission on all: nothing is left out in silence", async () => {
    const StackId = await createWhole();
    await stack.grant(StackId, userArn("bob"), { Level: "show" });
    expect(await describeOne(StackId, bob)).toMatchObject({ StackId });
    await expect(bob.send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    const { Stacks = [] } = await admin.send(new DescribeStacksCommand({}));
    expect(Stacks.map((one) => one.StackId)).toContain(StackId);
  });

  test("of all stacks is answered to whoever may see each of them, by level or by a policy on stacks", async () => {
    const { Stacks: before = [] } = await admin.send(new DescribeStacksCommand({}));
    const looker = opsWorksClient(stack.url, stack.asUser("looker"));
    const { Stacks = [] } = await looker.send(new DescribeStacksCommand({}));
    expect(Stacks).toHaveLength(before.length);
  });

  test("is refused to somebody who was never imported, even of all stacks", async () => {
    const stranger = opsWorksClient(stack.url, stack.asUser("stranger"));
    await expect(stranger.send(new DescribeStacksCommand({}))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });

  test("refuses the whole when one of the stacks may not be seen", async () => {
    const [seen, unseen] = [await createWhole(), await createWhole()];
    await stack.grant(seen, userArn("bob"), { Level: "show" });
    await expect(bob.send(new DescribeStacksCommand({ StackIds: [seen, unseen] }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });
});
