import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { IAMClient } from "@aws-sdk/client-iam";
import { type IamEndpoint, startIamEndpoint } from "../../infra/local/iam-endpoint.ts";
import { readRolesTemplate } from "../../infra/roles-template.ts";
import { IamRoles } from "../../shared/account/iam-roles.ts";
import { gapsOfInstanceProfile, gapsOfServiceRole } from "../../shared/account/role-gaps.ts";
import { validatePolicy } from "../../shared/iam/validate.ts";
import type { Wire } from "../setup/test-stack.ts";

const PROGRAM = fileURLToPath(new URL("../../infra/roles.ts", import.meta.url));
const place = { partition: "aws", region: "eu-west-1", accountId: "123456789012" };
const stack = { place, stackId: "6f0b2c1e-3a54-4a8e-9a3c-0d2f7f1c0001" };
const arnOf = (type: string, name: string) => `arn:aws:iam::123456789012:${type}/${name}`;

let iam: IamEndpoint;
let roles: IamRoles;

beforeAll(async () => {
  iam = await startIamEndpoint({});
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  roles = new IamRoles(new IAMClient({ region: "us-east-1", endpoint: iam.url, credentials }));
});
afterAll(() => iam.close());
beforeEach(() => {
  iam.account = {};
  iam.before = () => undefined;
});

async function run(...args: string[]) {
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL_IAM: iam.url,
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_REGION: "eu-west-1",
    AWS_MAX_ATTEMPTS: "1",
  };
  const child = spawn(process.execPath, [PROGRAM, ...args], { env });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

const create = (...more: string[]) => run("create", "--account", "123456789012", ...more);

/** What is to be said of what IAM has now. */
async function gapsOf(service: string, profile: string) {
  const [serviceArn, profileArn] = [arnOf("role", service), arnOf("instance-profile", profile)];
  const gaps = [
    ...gapsOfServiceRole(serviceArn, await roles.role(serviceArn), stack),
    ...gapsOfInstanceProfile(profileArn, await roles.instanceProfile(profileArn), stack),
  ];
  return gaps.map(({ code, Arn }) => `${code} ${Arn}`);
}

test("makes a service role that can do, and an instance profile with trust and no policy", async () => {
  const { code, stderr } = await create();
  expect([code, stderr.trim().split("\n")]).toEqual([
    0,
    [
      "made: role aws-opsworks-ec2-role",
      "made: instance profile aws-opsworks-ec2-role",
      "made: role aws-opsworks-ec2-role in instance profile aws-opsworks-ec2-role",
      "made: role aws-opsworks-service-role",
      "made: policy aws-opsworks-service-policy of role aws-opsworks-service-role",
    ],
  ]);
  expect(await gapsOf("aws-opsworks-service-role", "aws-opsworks-ec2-role")).toEqual([
    `no-policy ${arnOf("role", "aws-opsworks-ec2-role")}`,
  ]);
});

test("interrupted at any call and run again, ends the same, and leaves alone what is there", async () => {
  await create();
  const whole = iam.account;
  const calls = iam.calls.length;
  for (let cut = 1; cut <= 6; cut += 1) {
    iam.account = {};
    iam.calls.length = 0;
    iam.before = ({ number }) =>
      number === cut ? { status: 403, code: "AccessDenied", message: "no" } : undefined;
    const broken = await create();
    expect([broken.code, broken.stderr.includes("roles: no")]).toEqual([cut <= 5 ? 2 : 0, cut <= 5]);
    iam.before = () => undefined;
    expect((await create()).code).toBe(0);
    expect(await gapsOf("aws-opsworks-service-role", "aws-opsworks-ec2-role")).toHaveLength(1);
  }
  expect(calls).toBeGreaterThan(4);
  iam.account = whole;
  iam.calls.length = 0;
  const { code, stderr } = await create();
  const lines = stderr.trim().split("\n");
  expect([code, lines.length]).toEqual([0, 5]);
  for (const line of lines) expect(line).toMatch(/^there already, left as it is: /);
  expect(iam.calls.map(({ action }) => action)).not.toContain("PutRolePolicy");
  expect(iam.account).toEqual(whole);
}, 60_000);

test("takes other names, and leaves a role of that name that is somebody else's", async () => {
  await create("--service-role-name", "mine", "--instance-profile-name", "theirs", "--any-region");
  expect(await gapsOf("mine", "theirs")).toHaveLength(1);
  const taken = {
    RoleName: "aws-opsworks-service-role",
    RoleId: "AROA1",
    Arn: arnOf("role", "aws-opsworks-service-role"),
  };
  iam.account = { RoleDetailList: [{ ...taken, AssumeRolePolicyDocument: "{}", RolePolicyList: [] }] };
  const { code, stderr } = await create();
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(
      "differs, left as it is: role aws-opsworks-service-role has the trust relationship {}, and would be made with {",
    ),
  ]);
  expect(await roles.role(taken.Arn)).toMatchObject({ Policies: [] });
});

test("leaves a policy that was changed, and a role that spells the same trust otherwise", async () => {
  await create();
  const [instanceRole, serviceRole]: Wire[] = [...(iam.account.RoleDetailList ?? [])];
  const changed = [{ PolicyName: "aws-opsworks-service-policy", PolicyDocument: "{}" }];
  const spaced = JSON.stringify(JSON.parse(serviceRole.AssumeRolePolicyDocument), undefined, 2);
  const role = { ...serviceRole, AssumeRolePolicyDocument: spaced, RolePolicyList: changed };
  iam.account = { ...iam.account, RoleDetailList: [instanceRole, role] };
  const before = iam.account;
  expect((await create()).code).toBe(0);
  expect(iam.account).toEqual(before);
});

test("says from another region that the role there is not for its stacks, and what would do", async () => {
  await create();
  const elsewhere = await create("--region", "us-east-1");
  expect(elsewhere.code).toBe(1);
  expect(elsewhere.stderr).toContain("differs, left as it is: role aws-opsworks-service-role");
  expect(elsewhere.stderr).toContain("opsworks:eu-west-1:123456789012:stack/*");
  expect(elsewhere.stderr).toContain("opsworks:us-east-1:123456789012:stack/*");
  expect((await run("--help")).stdout).toContain("Exit code: 0; 1 when something that is there differs");
});

test("says of an instance profile that holds another role", async () => {
  await create("--instance-profile-name", "theirs");
  const held: Wire = iam.account.RoleDetailList?.[0];
  const name = "aws-opsworks-ec2-role";
  const InstanceProfileList = [{ InstanceProfileName: name, Arn: arnOf("instance-profile", name) }];
  iam.account = { RoleDetailList: [{ ...held, InstanceProfileList }] };
  const { code, stderr } = await create();
  expect([code, stderr]).toEqual([
    1,
    expect.stringContaining(`instance profile ${name} holds role theirs, and would be made with ${name}`),
  ]);
});

test("prints them, and makes nothing", async () => {
  iam.calls.length = 0;
  const { code, stdout } = await run("print", "--account", "123456789012", "--region", "cn-north-1");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    instanceRole: {
      AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: "ec2.amazonaws.com.cn" } }] },
    },
    instanceProfile: { InstanceProfileName: "aws-opsworks-ec2-role", Roles: ["aws-opsworks-ec2-role"] },
  });
  expect(iam.calls).toEqual([]);
});

test.each([
  [["create"], "which account? add `--account <12 digits>`"],
  [["create", "--account", "1"], "which account? add `--account <12 digits>`"],
  [["create", "--account", "123456789012", "--region", "moon"], "which region? add `--region <region>`"],
])("says what is missing: %j", async (args, message) => {
  const { code, stderr } = await run(...args);
  expect([code, stderr]).toEqual([2, `roles: ${message}\n`]);
});

test("the template's documents are policies without a finding", async () => {
  const made = await readRolesTemplate({
    "AWS::AccountId": "123456789012",
    "AWS::Region": "eu-west-1",
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
  });
  for (const { AssumeRolePolicyDocument, Policies } of [made.serviceRole, made.instanceRole]) {
    expect(validatePolicy(JSON.stringify(AssumeRolePolicyDocument), "trust")).toEqual([]);
    for (const { PolicyDocument } of Policies)
      expect(validatePolicy(JSON.stringify(PolicyDocument), "identity")).toEqual([]);
  }
});
