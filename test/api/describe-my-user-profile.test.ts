import { afterAll, beforeAll, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import { putUser, readUser } from "../../shared/table/users.ts";
import { transact } from "../../shared/table/write.ts";
import {
  iamRole,
  iamUser,
  ANY_VERSION,
  openTestStack,
  policy,
  roleArn,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const NOTHING = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

let stack: TestStack;
let alpha: string;
let beta: string;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("absent-admin")] });
  beta = await stack.addStack("beta");
  alpha = await stack.addStack("alpha");
  const policies = { profile: policy("Allow", "opsworks:DescribeMyUserProfile") };
  await stack.importAccount({
    UserDetailList: [
      iamUser("self-managed"),
      iamUser("by-policy", { policies }),
      iamUser("neither"),
      iamUser("denied", { policies: { deny: policy("Deny", "opsworks:DescribeMyUserProfile") } }),
    ],
    RoleDetailList: [iamRole("dev", { path: "teams/", policies })],
  });
  for (const name of ["self-managed", "denied"]) await allowSelfManagement(name);
  for (const name of ["self-managed", "neither"])
    await stack.grant(alpha, userArn(name), { Level: "manage", AllowSsh: true, AllowSudo: true });
  await stack.grant(beta, roleArn("dev"), { Level: "show" });
});
afterAll(() => stack.close());

const ask = (as: Identity, input: object = {}) => stack.post(as, "/DescribeMyUserProfile", input);

async function allowSelfManagement(name: string): Promise<void> {
  const user = readUser(await stack.read(keys.user(userArn(name))));
  if (!user) throw new Error(`${name} is not there`);
  const profile = { AllowSelfManagement: true, SshUsername: name, SshPublicKey: `ssh-ed25519 ${name}` };
  await transact(stack.table, [putUser(stack.table, { ...user, ...profile }, user.Revision)]);
}

test("self-management lets a user see their own profile and their level on every stack", async () => {
  const { status, body } = await ask(stack.asUser("self-managed"));
  expect(status).toBe(200);
  expect(body).toEqual({
    UserProfile: {
      IamUserArn: userArn("self-managed"),
      Name: "self-managed",
      SshUsername: "self-managed",
      SshPublicKey: "ssh-ed25519 self-managed",
      ...ANY_VERSION,
    },
    Permissions: [
      {
        StackId: alpha,
        StackName: "alpha",
        Level: "manage",
        AllowSsh: true,
        AllowSudo: true,
        ...ANY_VERSION,
      },
      { StackId: beta, StackName: "beta", ...NOTHING, Version: "none" },
    ],
  });
});

test("a policy lets a user see it too; members that are not set are left out", async () => {
  const { status, body } = await ask(stack.asUser("by-policy"));
  expect(status).toBe(200);
  expect(body.UserProfile).toEqual({
    IamUserArn: userArn("by-policy"),
    Name: "by-policy",
    SshUsername: "by-policy",
    ...ANY_VERSION,
  });
});

test("the session of a role sees the role's", async () => {
  const { body } = await ask(stack.asRole("dev", "self-managed"));
  expect(body).toEqual({
    UserProfile: { IamUserArn: roleArn("dev"), Name: "dev", ...ANY_VERSION },
    Permissions: [
      { StackId: alpha, StackName: "alpha", ...NOTHING, Version: "none" },
      { StackId: beta, StackName: "beta", ...NOTHING, Level: "show", ...ANY_VERSION },
    ],
  });
});

test("with neither it is refused, even to a manager of a stack", async () => {
  expect(await ask(stack.asUser("neither"))).toMatchObject({
    status: 403,
    body: {
      __type: "AccessDeniedException",
      message: `User: ${userArn("neither")} is not authorized to perform: opsworks:DescribeMyUserProfile on resource: * (default-deny: nothing allows it: only a policy can)`,
    },
  });
});

test("self-management does not outdo a policy that denies it", async () => {
  expect(await ask(stack.asUser("denied"))).toMatchObject({
    status: 403,
    body: { message: expect.stringContaining("policy-deny: policy `deny`") },
  });
});

test("somebody who was never imported has none", async () => {
  expect((await ask(stack.asUser("nobody"))).status).toBe(403);
});

test("the account root and an administrator who was never imported may look, but there is none", async () => {
  for (const as of [stack.asRoot(), stack.asUser("absent-admin")]) {
    expect(await ask(as)).toMatchObject({
      status: 404,
      body: {
        __type: "ResourceNotFoundException",
        message: `Unable to find user with ARN ${as.userArn}`,
      },
    });
  }
});

test("the stacks come in pages when asked for", async () => {
  const as = stack.asUser("self-managed");
  const first = await ask(as, { MaxResults: 1 });
  const second = await ask(as, { MaxResults: 1, NextToken: first.body.NextToken });
  const names = [first, second].flatMap(({ body }) => body.Permissions.map(stackName));
  expect(names).toEqual(["alpha", "beta"]);
});

function stackName({ StackName }: { StackName: string }): string {
  return StackName;
}
