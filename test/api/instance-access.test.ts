import { constants, generateKeyPairSync, type KeyObject, privateDecrypt, randomUUID } from "node:crypto";
import {
  DeregisterInstanceCommand,
  DescribeInstancesCommand,
  GrantAccessCommand,
  RegisterInstanceCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-opsworks";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { signedPost } from "../../infra/local/signed-post.ts";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import { opsWorksClient } from "../opsworks-sdk/opsworks-client.ts";
import sshPublicKeys from "../unit/data/ssh-public-keys.json" with { type: "json" };
import {
  ACCOUNT,
  arnOfStack,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  REGION,
  roleArn,
  sessionArn,
  stackRoles,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";

const ROLE = "aws-opsworks-ec2-role";
const profile = (name: string) => `arn:aws:iam::${ACCOUNT}:instance-profile/${name}`;
const ed25519 = sshPublicKeys.ed25519;

const trust = (...statements: object[]) => ({
  AssumeRolePolicyDocument: {
    Version: "2012-10-17",
    Statement: statements.map((one) => ({ Effect: "Allow", Action: "sts:AssumeRole", ...one })),
  },
});
const EC2 = { Principal: { Service: "ec2.amazonaws.com" } };

/** Roles whose instance profile is called as they are; who may assume each beside EC2. */
const WIDE = {
  "also-the-account": [EC2, { Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }],
  "also-lambda": [{ Principal: { Service: ["ec2.amazonaws.com", "lambda.amazonaws.com"] } }],
  "also-by-saml": [
    EC2,
    {
      Principal: { Federated: `arn:aws:iam::${ACCOUNT}:saml-provider/x` },
      Action: "sts:AssumeRoleWithSAML",
    },
  ],
  everybody: [{ Principal: "*" }],
  "all-but-one": [{ NotPrincipal: { AWS: userArn("bob") } }],
  "only-if-tagged": [
    EC2,
    { Principal: { AWS: roleArn("x") }, Condition: { StringEquals: { "aws:PrincipalTag/a": "b" } } },
  ],
};
/** Who is named beside EC2 gets nothing. */
const NARROW = {
  "ec2-of-china-too": [{ Principal: { Service: ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"] } }],
  "a-deny-of-everybody": [EC2, { Effect: "Deny", Principal: "*", Condition: { Bool: { a: "true" } } }],
};
const heldBy = (name: string) => ({ InstanceProfileList: [{ Arn: profile(name) }] });
const rolesOf = (trusts: Record<string, object[]>) =>
  Object.entries(trusts).map(([name, statements]) =>
    iamRole(name, { ...trust(...statements), ...heldBy(name) }),
  );

let stack: TestStack;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack({ directWrites: true });
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin", {
        policies: { all: policy("Allow", ["opsworks:*", "stackwarden:*", "iam:PassRole"]) },
      }),
      ...["bob", "carol", "dave", "erin", "frank"].map((name) => iamUser(name, { GroupList: ["ops"] })),
      ...["nobody", "show", "manage"].map((name) => iamUser(name)),
    ],
    GroupDetailList: [{ GroupName: "ops" }],
    RoleDetailList: [
      ...stackRoles(),
      iamRole("of-the-layer", { ...trust(EC2), ...heldBy("of-the-layer") }),
      iamRole("without-profile", trust(EC2)),
      ...rolesOf(WIDE),
      ...rolesOf(NARROW),
    ],
  });
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());

const newEc2Id = () => `i-${randomUUID().replaceAll("-", "").slice(0, 17)}`;

async function must(path: string, body: object): Promise<Wire> {
  const reply = await stack.post(admin, path, body);
  expect(reply).toMatchObject({ status: 200 });
  return reply.body;
}
const addLayer = async (StackId: string, CustomInstanceProfileArn?: string): Promise<string> => {
  const Shortname = randomUUID().slice(0, 8);
  const layer = { StackId, Type: "custom", Name: "layer", Shortname };
  return (
    await must(
      "/CreateLayer",
      CustomInstanceProfileArn === undefined ? layer : { ...layer, CustomInstanceProfileArn },
    )
  ).LayerId;
};
const register = async (StackId: string, more: object = {}) => {
  const Ec2InstanceId = newEc2Id();
  const { InstanceId } = await must("/RegisterInstance", { StackId, Ec2InstanceId, ...more });
  return { StackId, Ec2InstanceId, InstanceId, as: stack.asRole(ROLE, Ec2InstanceId) };
};
const newInstance = async (more: object = {}) => register(await stack.addStack(), more);
const ask = (as: Identity, StackId: string, more: object = {}) =>
  stack.post(as, "/DescribeInstanceAccess", { StackId, Nonce: randomUUID(), ...more });
/** Sends a request, and keeps what went over the wire. */
async function capture(as: Identity, path: string, input: object) {
  const url = `${stack.url}${path}`;
  const body = JSON.stringify(input);
  const fetched: RequestInit[] = [];
  const { fetch: real } = globalThis;
  globalThis.fetch = (to, init = {}) => {
    fetched.push(init);
    return real(to, init);
  };
  try {
    const { status } = await signedPost(url, REGION, as, body);
    const [{ headers = {} } = {}] = fetched;
    return { status, url, headers, body };
  } finally {
    globalThis.fetch = real;
  }
}
const allow = (StackId: string, name: string, more: object = {}) =>
  must("/SetPermission", { StackId, IamUserArn: userArn(name), AllowSsh: true, ...more });
const usersOf = async ({ as, StackId }: { as: Identity; StackId: string }): Promise<Wire[]> => {
  const { status, body } = await ask(as, StackId);
  expect(status).toBe(200);
  return body.Users;
};
const namesOf = async (instance: { as: Identity; StackId: string }) =>
  (await usersOf(instance)).map(({ username }): string => username);
const setUser = async (name: string, change: object) => {
  const item = await stack.read(keys.user(userArn(name)));
  await stack.put({ ...item, ...change });
};

describe("an instance is told", () => {
  test("of who has SSH/RDP, in OpsWorks' words, with key and sudo", async () => {
    const instance = await newInstance({ Hostname: "web1" });
    await allow(instance.StackId, "bob", { AllowSudo: true });
    await allow(instance.StackId, "carol");
    await must("/UpdateUserProfile", { IamUserArn: userArn("bob"), SshPublicKey: `${ed25519} bob@laptop` });
    await must("/UpdateUserProfile", { IamUserArn: userArn("carol"), SshPublicKey: "" });
    const [type, key] = ed25519.split(" ");
    const bob = {
      username: "bob",
      unix_user_id: expect.any(Number),
      ssh_public_key: `${type} ${key}`,
      administrator_privileges: true,
      remote_access: true,
      iam_user_arn: userArn("bob"),
    };
    const carol = {
      username: "carol",
      unix_user_id: expect.any(Number),
      administrator_privileges: false,
      remote_access: true,
      iam_user_arn: userArn("carol"),
    };
    const { body } = await ask(instance.as, instance.StackId);
    expect(body).toEqual({ Users: [bob, carol], ETag: expect.stringMatching(/^[\w-]{43}$/) });
    const [{ unix_user_id: one }, { unix_user_id: two }] = body.Users;
    const lines = await ask(instance.as, instance.StackId, { Format: "Lines" });
    expect(lines.body).toEqual({
      Lines: `bob\t${one}\t1\t${type} ${key}\ncarol\t${two}\t0\t\n`,
      ETag: body.ETag,
    });
  });

  test("that nothing has changed, until something has", async () => {
    const { StackId, as } = await newInstance();
    await allow(StackId, "bob");
    const { ETag } = (await ask(as, StackId)).body;
    const IfNoneMatch = ETag;
    expect((await ask(as, StackId, { IfNoneMatch })).body).toEqual({ NotModified: true, ETag });
    await allow(StackId, "bob", { AllowSudo: true });
    const changed = (await ask(as, StackId, { IfNoneMatch })).body;
    expect(changed.ETag).not.toBe(ETag);
    await allow(StackId, "bob", { AllowSudo: false });
    expect((await ask(as, StackId, { IfNoneMatch })).body).toEqual({ NotModified: true, ETag });
  });

  test("of nobody whose SSH/RDP is off, or who has a level alone", async () => {
    const instance = await newInstance();
    await must("/SetPermission", { StackId: instance.StackId, IamUserArn: userArn("bob"), Level: "manage" });
    await allow(instance.StackId, "carol");
    expect(await namesOf(instance)).toEqual(["carol"]);
    await allow(instance.StackId, "carol", { AllowSsh: false });
    expect(await namesOf(instance)).toEqual([]);
  });

  test("of nobody with the level Deny, their own or a group's, and of them again when it is lifted", async () => {
    const instance = await newInstance();
    const { StackId } = instance;
    await allow(StackId, "bob", { Level: "deny" });
    await allow(StackId, "show");
    await allow(StackId, "carol", { Level: "manage" });
    expect((await namesOf(instance)).toSorted()).toEqual(["carol", "show"]);
    await must("/SetPermission", { StackId, GroupName: "ops", Level: "deny" });
    expect(await namesOf(instance)).toEqual(["show"]);
    await must("/SetPermission", { StackId, GroupName: "ops", Level: "iam_only" });
    await must("/SetPermission", { StackId, IamUserArn: userArn("bob"), Level: "show" });
    expect((await namesOf(instance)).toSorted()).toEqual(["bob", "carol", "show"]);
  });

  test("of nobody who was deleted, nor of who was made again under the name", async () => {
    const instance = await newInstance();
    const IamUserArn = userArn("erin");
    await allow(instance.StackId, "erin", { AllowSudo: true });
    expect(await namesOf(instance)).toEqual(["erin"]);
    await must("/DeleteUserProfile", { IamUserArn });
    expect(await namesOf(instance)).toEqual([]);
    await must("/CreateUserProfile", { IamUserArn });
    expect(await namesOf(instance)).toEqual([]);
    await allow(instance.StackId, "erin");
    expect(await usersOf(instance)).toMatchObject([{ username: "erin", administrator_privileges: false }]);
  });

  test("of whom IAM no longer has, as OpsWorks did, until the profile is deleted", async () => {
    const instance = await newInstance();
    await allow(instance.StackId, "frank");
    await stack.loseFromIam(userArn("frank"));
    expect(await namesOf(instance)).toEqual(["frank"]);
    await must("/DeleteUserProfile", { IamUserArn: userArn("frank") });
    expect(await namesOf(instance)).toEqual([]);
  });

  test("of nobody whose profile holds what no server should see, however it got there", async () => {
    const instance = await newInstance();
    await allow(instance.StackId, "dave");
    const item = await stack.read(keys.user(userArn("dave")));
    for (const hostile of [
      { SshUsername: "dave\nroot" },
      { SshUsername: "dave:x" },
      { SshUsername: "%wheel" },
      { SshUsername: "" },
      { UnixId: 0 },
      { UnixId: 1999 },
      { UnixId: 2000.5 },
      { UnixId: 4001 },
      { SshPublicKey: 'command="x" ssh-ed25519 AAAA' },
      { SshPublicKey: "ssh-ed25519 AAAA\nssh-ed25519" },
    ]) {
      await setUser("dave", hostile);
      expect(await namesOf(instance)).toEqual([]);
      await stack.put(item);
    }
    expect(await namesOf(instance)).toEqual(["dave"]);
  });

  test("of 300 users in less than 100 KB, and in a few bytes when it has them already", async () => {
    const instance = await newInstance();
    const people = Array.from({ length: 300 }, (_, index) => `person${String(index).padStart(3, "0")}`);
    await stack.importAccount({ UserDetailList: people.map((name) => iamUser(name)) });
    for (const [index, name] of people.entries()) {
      await setUser(name, { SshUsername: name, UnixId: 3000 + index, SshPublicKey: `${ed25519} a@b` });
      await stack.grant(instance.StackId, userArn(name), { AllowSsh: true });
    }
    const sizes: Record<string, number> = {};
    for (const Format of ["Users", "Lines"]) {
      const { body } = await ask(instance.as, instance.StackId, { Format });
      sizes[Format] = JSON.stringify(body).length;
      const again = await ask(instance.as, instance.StackId, { Format, IfNoneMatch: body.ETag });
      expect(JSON.stringify(again.body).length).toBeLessThan(100);
    }
    expect(sizes.Users).toBeLessThan(100_000);
    expect(sizes.Lines).toBeLessThan(35_000);
  }, 60_000);

  test("by strongly consistent reads alone", async () => {
    const instance = await newInstance({});
    await allow(instance.StackId, "bob");
    stack.sent.length = 0;
    await usersOf(instance);
    expect(stack.sent.length).toBeGreaterThan(3);
    for (const { command, input } of stack.sent) {
      if (command === "Query") expect(input.ConsistentRead).toBe(true);
      else if (command !== "PutItem")
        for (const { ConsistentRead } of Object.values<Wire>(input.RequestItems))
          expect(ConsistentRead).toBe(true);
    }
  });
});

describe("nobody else is told anything:", () => {
  const REFUSED = {
    status: 403,
    body: { __type: "AccessDeniedException", message: expect.stringContaining("is no instance") },
  };

  test("another instance of another stack, or with another stack's id", async () => {
    const [one, other] = [await newInstance(), await newInstance()];
    expect(await ask(one.as, other.StackId)).toMatchObject(REFUSED);
    expect(await ask(one.as, randomUUID())).toMatchObject(REFUSED);
    expect((await ask(one.as, one.StackId)).status).toBe(200);
  });

  test("an instance that nobody registered, or that was deregistered", async () => {
    const instance = await newInstance();
    expect(await ask(stack.asRole(ROLE, newEc2Id()), instance.StackId)).toMatchObject(REFUSED);
    await must("/DeregisterInstance", { InstanceId: instance.InstanceId });
    expect(await ask(instance.as, instance.StackId)).toMatchObject(REFUSED);
  });

  test.for([
    ["another role", (id: string) => stack.asRole("of-the-layer", id)],
    ["a role without an instance profile", (id: string) => stack.asRole("without-profile", id)],
    ["a role that nobody imported", (id: string) => stack.asRole("unknown", id)],
    ["the role made again, by its unique id", (id: string) => stack.asRole(ROLE, id, "AROAOTHER")],
    [
      "a role of another account with the same name",
      (id: string) =>
        stack.signIn(
          `arn:aws:sts::999999999999:assumed-role/${ROLE}/${id}`,
          `AROAAWS-OPSWORKS-EC2-ROLE:${id}`,
        ),
    ],
    ["a user called like an instance", (id: string) => stack.asUser(id)],
    ["a federated user called like an instance", (id: string) => stack.asFederated(id)],
    ["an administrator", () => admin],
    ["the account root", () => stack.asRoot()],
  ] as const)("%s, with the session name of the instance", async ([, as]) => {
    const { Ec2InstanceId, StackId } = await newInstance();
    expect(await ask(as(Ec2InstanceId), StackId)).toMatchObject(REFUSED);
  });

  test("a session of the role with another name, or with one that only looks like the instance's", async () => {
    const { Ec2InstanceId, StackId } = await newInstance();
    for (const name of [Ec2InstanceId.toUpperCase(), `${Ec2InstanceId}0`, "me", `x${Ec2InstanceId}`])
      expect(await ask(stack.asRole(ROLE, name), StackId)).toMatchObject(REFUSED);
  });

  test("the role, when the layer of the instance has an instance profile of its own", async () => {
    const StackId = await stack.addStack();
    const [own, plain] = [await addLayer(StackId, profile("of-the-layer")), await addLayer(StackId)];
    const first = await register(StackId, { LayerIds: [own, plain] });
    expect(await ask(first.as, StackId)).toMatchObject(REFUSED);
    expect((await ask(stack.asRole("of-the-layer", first.Ec2InstanceId), StackId)).status).toBe(200);
    const second = await register(StackId, { LayerIds: [plain, own] });
    expect((await ask(second.as, StackId)).status).toBe(200);
    expect(await ask(stack.asRole("of-the-layer", second.Ec2InstanceId), StackId)).toMatchObject(REFUSED);
  });

  test("the role, when IAM has it no more, or it holds the instance profile no more", async () => {
    const StackId = await stack.addStack();
    const layer = await addLayer(StackId, profile("of-the-layer"));
    const { Ec2InstanceId } = await register(StackId, { LayerIds: [layer] });
    const as = stack.asRole("of-the-layer", Ec2InstanceId);
    const key = keys.user(roleArn("of-the-layer"));
    const item = await stack.read(key);
    for (const change of [
      { GoneSince: new Date().toISOString() },
      { InstanceProfiles: [] },
      { InstanceProfiles: undefined },
      { UserId: undefined },
      { TrustPolicy: undefined },
    ]) {
      await stack.put(JSON.parse(JSON.stringify({ ...item, ...change })));
      expect((await ask(as, StackId)).status).toBe(403);
      await stack.put(item);
    }
    const ofProfile = await stack.read(keys.instanceProfile(profile("of-the-layer")));
    await stack.put({ ...ofProfile, RoleArn: roleArn("without-profile") });
    expect(await ask(as, StackId)).toMatchObject(REFUSED);
    await stack.put(ofProfile);
    expect((await ask(as, StackId)).status).toBe(200);
  });

  const instanceBy = async (name: string) => {
    const StackId = await stack.addStack();
    const stackItem = await stack.read(keys.stack(StackId));
    await stack.put({ ...stackItem, DefaultInstanceProfileArn: profile(name) });
    const { Ec2InstanceId } = await register(StackId);
    return ask(stack.asRole(name, Ec2InstanceId), StackId);
  };

  test.for(Object.keys(WIDE))("who might not be EC2, by a role that trusts more: %s", async (name) => {
    const reply = await instanceBy(name);
    expect(reply).toMatchObject({ status: 403, body: { __type: "AccessDeniedException" } });
    expect(reply.body.message).toContain("must name EC2 and nobody else");
  });

  test.for(Object.keys(NARROW))("but an instance is, by a role that trusts EC2 alone: %s", async (name) => {
    expect((await instanceBy(name)).status).toBe(200);
  });

  test("a Lambda that names an instance as its caller, direct writes or not", async () => {
    const { Ec2InstanceId, StackId } = await newInstance();
    const caller = sessionArn(ROLE, Ec2InstanceId);
    const userId = `AROAAWS-OPSWORKS-EC2-ROLE:${Ec2InstanceId}`;
    const invocation = { caller, userId, input: { StackId, Nonce: randomUUID() } };
    await expect(stack.invoke("DescribeInstanceAccess", invocation)).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });

  test("who sends the instance's own request again with another body, or unsigned", async () => {
    const [one, other] = [await newInstance(), await newInstance()];
    const { url, headers } = await capture(one.as, "/DescribeInstanceAccess", {
      StackId: one.StackId,
      Nonce: randomUUID(),
    });
    const body = JSON.stringify({ StackId: other.StackId, Nonce: randomUUID() });
    expect((await fetch(url, { method: "POST", headers, body })).status).toBe(403);
    expect((await fetch(url, { method: "POST", body })).status).toBe(403);
  });

  test("who sends the instance's own request again as it was, whether it was told anything or not", async () => {
    const { as, StackId } = await newInstance();
    await allow(StackId, "bob");
    const { ETag: IfNoneMatch } = (await ask(as, StackId)).body;
    for (const more of [{}, { IfNoneMatch }, { Format: "Lines" }]) {
      const { status, url, ...sent } = await capture(as, "/DescribeInstanceAccess", {
        StackId,
        Nonce: randomUUID(),
        ...more,
      });
      expect(status).toBe(200);
      await allow(StackId, "carol", { AllowSudo: "IfNoneMatch" in more });
      for (let count = 0; count < 2; count += 1) {
        const again = await fetch(url, { method: "POST", ...sent });
        expect([again.status, await again.json()]).toEqual([
          409,
          { __type: "ConflictException", message: expect.stringContaining("was sent before") },
        ]);
      }
    }
  });

  test("but each of two instances is, by the same nonce; and it is kept until no signature holds any more", async () => {
    const [one, other] = [await newInstance(), await newInstance()];
    const Nonce = randomUUID();
    expect((await ask(one.as, one.StackId, { Nonce })).status).toBe(200);
    expect((await ask(other.as, other.StackId, { Nonce })).status).toBe(200);
    const { ExpiresAt } = await stack.read(keys.nonce(one.InstanceId, Nonce));
    expect(ExpiresAt - Date.now() / 1000).toBeGreaterThan(10 * 60);
  });
});

describe("an instance of a stack", () => {
  test("comes back as it was registered, with the instance profile that applies", async () => {
    const StackId = await stack.addStack();
    const LayerId = await addLayer(StackId, profile("of-the-layer"));
    const given = { Hostname: "web1", PublicIp: "203.0.113.9", PrivateIp: "10.0.0.9", Platform: "Windows" };
    const one = await register(StackId, { LayerIds: [LayerId], ...given });
    const other = await register(StackId);
    const shown = {
      ...given,
      StackId,
      LayerIds: [LayerId],
      InstanceId: one.InstanceId,
      Ec2InstanceId: one.Ec2InstanceId,
      Arn: `arn:aws:opsworks:${REGION}:${ACCOUNT}:instance/${one.InstanceId}/`,
      InstanceProfileArn: profile("of-the-layer"),
      CreatedAt: expect.stringMatching(/^\d{4}-/),
      Version: "first",
    };
    const describeBy = async (by: object) => (await must("/DescribeInstances", by)).Instances;
    expect(await describeBy({ InstanceIds: [one.InstanceId] })).toEqual([shown]);
    expect(await describeBy({ LayerId })).toEqual([shown]);
    expect(await describeBy({ StackId })).toHaveLength(2);
    expect(await describeBy({ InstanceIds: [other.InstanceId] })).toMatchObject([
      { Platform: "Linux", LayerIds: [], InstanceProfileArn: profile("ec2") },
    ]);
  });

  test("is one stack's alone, and can be another's when it is deregistered", async () => {
    const { InstanceId, Ec2InstanceId } = await newInstance();
    const StackId = await stack.addStack();
    const again = () => stack.post(admin, "/RegisterInstance", { StackId, Ec2InstanceId });
    expect(await again()).toMatchObject({ status: 409, body: { __type: "ConflictException" } });
    await must("/DeregisterInstance", { InstanceId });
    expect((await again()).status).toBe(200);
    expect((await stack.post(admin, "/DeregisterInstance", { InstanceId })).status).toBe(404);
  });

  test("is in layers of its stack alone", async () => {
    const LayerId = await addLayer(await stack.addStack());
    const input = { StackId: await stack.addStack(), Ec2InstanceId: newEc2Id(), LayerIds: [LayerId] };
    expect((await stack.post(admin, "/RegisterInstance", input)).status).toBe(404);
  });

  test("keeps its stack and its layers from being deleted", async () => {
    const StackId = await stack.addStack();
    const [LayerId, empty] = [await addLayer(StackId), await addLayer(StackId)];
    const { InstanceId } = await register(StackId, { LayerIds: [LayerId] });
    const refused = await stack.post(admin, "/DeleteLayer", { LayerId });
    expect(refused).toMatchObject({ status: 400 });
    expect(refused.body.message).toContain(`the layer has the instance ${InstanceId}`);
    await must("/DeleteLayer", { LayerId: empty });
    const stackRefused = await stack.post(admin, "/DeleteStack", { StackId });
    expect(stackRefused.body.message).toBe("the stack has an instance: deregister the instances first");
    await must("/DeregisterInstance", { InstanceId });
    await must("/DeleteLayer", { LayerId });
    await must("/DeleteStack", { StackId });
    expect(await stack.partition(keys.instance(StackId, "").pk)).toEqual([]);
  });

  test("leaves an event when it comes and when it goes", async () => {
    const { StackId, InstanceId, Ec2InstanceId } = await newInstance();
    await must("/DeregisterInstance", { InstanceId });
    expect(await stack.eventsOfStack(StackId)).toMatchObject([
      { Operation: "RegisterInstance", Caller: userArn("admin"), After: { InstanceId, Ec2InstanceId } },
      { Operation: "DeregisterInstance", Before: { InstanceId, Ec2InstanceId } },
    ]);
  });

  test("is not copied with its stack, whose copy has none", async () => {
    const { StackId } = await newInstance();
    const clone = { SourceStackId: StackId, ServiceRoleArn: roleArn("service-role") };
    const copy = (await must("/CloneStack", clone)).StackId;
    expect((await must("/DescribeInstances", { StackId: copy })).Instances).toEqual([]);
    await must("/DeleteStack", { StackId: copy });
  });

  test.for([
    ["nobody", []],
    ["show", ["DescribeInstances", "DescribeInstances by id"]],
    ["manage", ["DescribeInstances", "DescribeInstances by id", "RegisterInstance", "DeregisterInstance"]],
  ] as const)("is dealt with by %s as the level says: %j", async ([who, may]) => {
    const { StackId, InstanceId } = await newInstance();
    if (who !== "nobody") await stack.grant(StackId, userArn(who), { Level: who });
    const done: string[] = [];
    for (const [name, body] of [
      ["DescribeInstances", { StackId }],
      ["DescribeInstances by id", { InstanceIds: [InstanceId] }],
      ["RegisterInstance", { StackId, Ec2InstanceId: newEc2Id() }],
      ["DeregisterInstance", { InstanceId }],
    ] as const) {
      const { status } = await stack.post(stack.asUser(who), `/${name.split(" ")[0]}`, body);
      if (status === 200) done.push(name);
      else expect(status).toBe(403);
    }
    expect(done).toEqual(may);
  });

  test("shows that it is not there to who may know everywhere, and to nobody else", async () => {
    const InstanceId = randomUUID();
    for (const [path, body] of [
      ["/DeregisterInstance", { InstanceId }],
      ["/DescribeInstances", { InstanceIds: [InstanceId] }],
    ] as const) {
      expect((await stack.post(admin, path, body)).status).toBe(404);
      expect((await stack.post(stack.asUser("manage"), path, body)).status).toBe(403);
    }
  });

  test("is counted right whoever comes first", async () => {
    const StackId = await stack.addStack();
    const Ec2InstanceId = newEc2Id();
    const one = { StackId, Ec2InstanceId };
    const ended = await Promise.all([
      ...Array.from({ length: 3 }, () => stack.post(admin, "/RegisterInstance", one)),
      ...Array.from({ length: 3 }, () =>
        stack.post(admin, "/RegisterInstance", { StackId, Ec2InstanceId: newEc2Id() }),
      ),
    ]);
    expect(ended.filter(({ status }) => status === 200)).toHaveLength(4);
    expect(await stack.read(keys.stack(StackId))).toMatchObject({ InstanceCount: 4 });
    const shown = (await must("/DescribeStacks", { StackIds: [StackId] })).Stacks[0];
    expect(shown).toMatchObject({ Arn: arnOfStack(StackId) });
    expect(shown).not.toHaveProperty("InstanceCount");
  });
});

test("OpsWorks' own client registers, describes and deregisters an instance, and gets a login to it", async () => {
  const client = opsWorksClient(stack.url, stack.asUser("admin"));
  const StackId = await stack.addStack();
  await stack.grant(StackId, userArn("admin"), { AllowSsh: true, AllowSudo: true });
  const Ec2InstanceId = newEc2Id();
  const input = { StackId, Hostname: "win1", Ec2InstanceId, Platform: "Windows" };
  const { InstanceId = "" } = await client.send(new RegisterInstanceCommand(input));
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await ask(stack.asRole(ROLE, Ec2InstanceId), StackId, { PublicKey: numbersOf(publicKey) });
  const { Instances } = await client.send(new DescribeInstancesCommand({ StackId }));
  expect(Instances).toMatchObject([{ InstanceId, Ec2InstanceId, Hostname: "win1", Platform: "Windows" }]);
  const { TemporaryCredential } = await client.send(
    new GrantAccessCommand({ InstanceId, ValidForInMinutes: 30 }),
  );
  expect(TemporaryCredential).toMatchObject({ InstanceId, ValidForInMinutes: 30 });
  await client.send(new DeregisterInstanceCommand({ InstanceId }));
  await expect(client.send(new DeregisterInstanceCommand({ InstanceId }))).rejects.toBeInstanceOf(
    ResourceNotFoundException,
  );
});

describe("a temporary login by RDP", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const PublicKey = numbersOf(publicKey);
  const windows = async () => {
    const instance = await newInstance({ Platform: "Windows" });
    await stack.grant(instance.StackId, userArn("show"), { Level: "show", AllowSsh: true });
    expect((await ask(instance.as, instance.StackId, { PublicKey })).body.Logins).toEqual([]);
    return instance;
  };
  const grantAccess = (InstanceId: string, as = stack.asUser("show"), more: object = {}) =>
    stack.post(as, "/GrantAccess", { InstanceId, ...more });
  const loginsOf = async ({ as, StackId }: { as: Identity; StackId: string }): Promise<Wire[]> =>
    (await ask(as, StackId)).body.Logins;
  const decrypt = (text: string) =>
    privateDecrypt(
      { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" },
      Buffer.from(text, "base64"),
    ).toString();

  test("is shown once, and told to the instance alone, who can read its password", async () => {
    const instance = await windows();
    const { status, body } = await grantAccess(instance.InstanceId);
    expect([status, body]).toEqual([
      200,
      {
        TemporaryCredential: {
          Username: expect.stringMatching(/^sw-[0-9a-f]{8}$/),
          Password: expect.stringMatching(/^[A-Za-z2-9_.+=@-]{28}$/),
          ValidForInMinutes: 60,
          InstanceId: instance.InstanceId,
        },
      },
    ]);
    const { Username, Password } = body.TemporaryCredential;
    for (const one of [/[A-Z]/, /[a-z]/, /\d/, /[^A-Za-z0-9]/]) expect(Password).toMatch(one);
    const [login, ...others] = await loginsOf(instance);
    expect(others).toEqual([]);
    expect(login).toEqual({
      username: Username,
      encrypted_password: expect.any(String),
      administrator_privileges: false,
      expires_at: expect.any(String),
    });
    expect(decrypt(login.encrypted_password)).toBe(Password);
    const left = Date.parse(login.expires_at) - Date.now();
    expect([left > 59 * 60_000 - 5000, left <= 3_600_000]).toEqual([true, true]);
    const kept = JSON.stringify([
      await stack.partition(keys.instanceKey(instance.InstanceId).pk),
      await stack.eventsOfStack(instance.StackId),
    ]);
    expect(kept).toContain(Username);
    expect(kept).not.toContain(Password);
  });

  test("is given to nobody who sends the request for one again, and to its user again in ten minutes", async () => {
    const instance = await windows();
    const { InstanceId, StackId } = instance;
    const asked = await capture(stack.asUser("show"), "/GrantAccess", { InstanceId });
    expect(asked.status).toBe(200);
    const { url, headers, body } = asked;
    const again = await fetch(url, { method: "POST", headers, body });
    expect([again.status, await again.json()]).toEqual([
      400,
      { __type: "ValidationException", message: expect.stringContaining("less than 10 minutes ago") },
    ]);
    expect(await loginsOf(instance)).toHaveLength(1);
    await stack.grant(StackId, userArn("manage"), { Level: "show", AllowSsh: true });
    expect((await grantAccess(InstanceId, stack.asUser("manage"))).status).toBe(200);
    const key = keys.latestLogin(InstanceId, userArn("show"));
    const { ExpiresAt, ...item } = await stack.read(key);
    expect(ExpiresAt - Date.now() / 1000).toBeGreaterThan(595);
    // What has expired counts no more, whether it is deleted or not.
    await stack.put({ ...item, ExpiresAt: Math.floor(Date.now() / 1000) });
    expect((await grantAccess(InstanceId)).status).toBe(200);
    expect(await loginsOf(instance)).toHaveLength(3);
  });

  test("leaves an event of who took it, without the password, encrypted or not", async () => {
    const { InstanceId, StackId } = await windows();
    const { Username } = (await grantAccess(InstanceId)).body.TemporaryCredential;
    const event = (await stack.eventsOfStack(StackId)).at(-1);
    expect(event).toMatchObject({
      Operation: "GrantAccess",
      Caller: userArn("show"),
      IamUserArn: userArn("show"),
      After: { InstanceId, Username, Administrator: false, ExpiresAt: expect.any(Number) },
    });
    expect(JSON.stringify(event)).not.toMatch(/password/i);
  });

  test("has administrator's rights with sudo/admin, and lasts as long as was asked for", async () => {
    const instance = await windows();
    await stack.grant(instance.StackId, userArn("show"), { Level: "show", AllowSsh: true, AllowSudo: true });
    await grantAccess(instance.InstanceId, undefined, { ValidForInMinutes: 720 });
    const [login] = await loginsOf(instance);
    expect(login.administrator_privileges).toBe(true);
    expect(Date.parse(login.expires_at) - Date.now()).toBeGreaterThan(719 * 60_000 - 5000);
  });

  test("ends at its expiry, whether the item is deleted or not", async () => {
    const instance = await windows();
    await grantAccess(instance.InstanceId);
    const { pk } = keys.instanceKey(instance.InstanceId);
    const item = (await stack.partition(pk)).find(({ sk }) => sk.startsWith("LOGIN#"));
    // DynamoDB Local deletes what has expired within a second or so.
    await stack.put({ ...item, ExpiresAt: Math.floor(Date.now() / 1000) });
    expect(await loginsOf(instance)).toEqual([]);
  });

  test.for([
    ["SSH/RDP is taken away", { Level: "show", AllowSsh: false }],
    ["the level becomes Deny", { Level: "deny", AllowSsh: true }],
  ] as const)("ends at once when %s", async ([, permission]) => {
    const instance = await windows();
    await grantAccess(instance.InstanceId);
    expect(await loginsOf(instance)).toHaveLength(1);
    await stack.grant(instance.StackId, userArn("show"), permission);
    expect(await loginsOf(instance)).toEqual([]);
  });

  test("ends at once when the profile is deleted, and is not there for who is made again", async () => {
    const instance = await windows();
    await stack.importAccount({ UserDetailList: [iamUser("leaver")] });
    const permission = { Level: "show" as const, AllowSsh: true };
    await stack.grant(instance.StackId, userArn("leaver"), permission);
    expect((await grantAccess(instance.InstanceId, stack.asUser("leaver"))).status).toBe(200);
    expect(await loginsOf(instance)).toHaveLength(1);
    await must("/DeleteUserProfile", { IamUserArn: userArn("leaver") });
    expect(await loginsOf(instance)).toEqual([]);
    await must("/CreateUserProfile", { IamUserArn: userArn("leaver") });
    await stack.grant(instance.StackId, userArn("leaver"), permission);
    expect(await loginsOf(instance)).toEqual([]);
  });

  test("is given to nobody without SSH/RDP, the account root and administrators neither", async () => {
    const { InstanceId, StackId } = await windows();
    await stack.grant(StackId, userArn("manage"), { Level: "manage" });
    for (const as of [stack.asUser("manage"), stack.asUser("nobody"), admin, stack.asRoot()]) {
      expect(await grantAccess(InstanceId, as)).toMatchObject({
        status: 403,
        body: { __type: "AccessDeniedException" },
      });
    }
  });

  test("is not for Linux, nor before the instance has a key, nor when there are 20 already", async () => {
    const linux = await newInstance();
    await stack.grant(linux.StackId, userArn("show"), { Level: "show", AllowSsh: true });
    expect((await grantAccess(linux.InstanceId)).body.message).toContain("is no Windows");
    const fresh = await newInstance({ Platform: "Windows" });
    await stack.grant(fresh.StackId, userArn("show"), { Level: "show", AllowSsh: true });
    expect((await grantAccess(fresh.InstanceId)).body.message).toContain("has not asked");
    await ask(fresh.as, fresh.StackId, { PublicKey });
    expect((await grantAccess(fresh.InstanceId)).status).toBe(200);
    const { pk } = keys.instanceKey(fresh.InstanceId);
    const login = (await stack.partition(pk)).find(({ sk }) => sk.startsWith("LOGIN#"));
    for (let count = 1; count < 20; count += 1)
      await stack.put({ ...login, ...keys.instanceLogin(fresh.InstanceId, randomUUID()) });
    expect((await grantAccess(fresh.InstanceId)).body.message).toContain("20 temporary logins");
    for (const ValidForInMinutes of [29, 721, 30.5])
      expect((await grantAccess(fresh.InstanceId, undefined, { ValidForInMinutes })).status).toBe(400);
  });

  test("is encrypted for the first key that the instance gave; another takes registering again", async () => {
    const instance = await windows();
    const other = numbersOf(generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey);
    const refused = await ask(instance.as, instance.StackId, { PublicKey: other });
    expect(refused).toMatchObject({ status: 409, body: { __type: "ConflictException" } });
    expect((await ask(instance.as, instance.StackId, { PublicKey })).status).toBe(200);
    await grantAccess(instance.InstanceId);
    await must("/DeregisterInstance", { InstanceId: instance.InstanceId });
    const { StackId, Ec2InstanceId } = instance;
    await must("/RegisterInstance", { StackId, Ec2InstanceId, Platform: "Windows" });
    expect((await ask(instance.as, StackId, { PublicKey: other })).body.Logins).toEqual([]);
  });

  test("is told to a server the answer to whose nonce was lost", async () => {
    const { StackId, as } = await windows();
    let tries = 0;
    stack.obstruct(async (request, pass) => {
      const answer = await pass();
      if (request.command !== "PutItem" || (tries += 1) > 1) return answer;
      throw Object.assign(new Error("no answer in time"), { name: "TimeoutError" });
    });
    expect((await ask(as, StackId)).status).toBe(200);
    stack.obstruct();
    expect(tries).toBe(2);
  });

  test("is encrypted for no key that came when its instance was being deregistered", async () => {
    const { StackId, InstanceId, as } = await newInstance({ Platform: "Windows" });
    let isGone = false;
    stack.obstruct(async (request, pass) => {
      const bringsKey =
        request.command === "TransactWriteItems" && JSON.stringify(request.input).includes('"KEY"');
      if (bringsKey && !isGone) {
        isGone = true;
        await must("/DeregisterInstance", { InstanceId });
      }
      return pass();
    });
    expect((await ask(as, StackId, { PublicKey })).status).toBe(404);
    stack.obstruct();
    expect(await stack.partition(keys.instanceKey(InstanceId).pk)).toEqual([]);
    expect((await stack.eventsOfStack(StackId)).map(({ Operation }) => Operation)).toEqual([
      "RegisterInstance",
      "DeregisterInstance",
    ]);
  });

  test("takes no weak key, and none that is no key", async () => {
    const { as, StackId } = await newInstance({ Platform: "Windows" });
    const weak = numbersOf(generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey);
    for (const given of [weak, { ...PublicKey, Exponent: "Aw==" }, { ...PublicKey, Modulus: "AQAB" }])
      expect((await ask(as, StackId, { PublicKey: given })).status).toBe(400);
  });
});

test("whatever name and key a profile takes, a line of the feed is one name, one id, one flag and one key", async () => {
  const instance = await newInstance();
  await allow(instance.StackId, "bob");
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({
      unit: fc.constantFrom(...Array.from("aZ0-_ \t\n,;:%#!\"'`$\\/=()*ALL")),
      minLength: 1,
      maxLength: 30,
    }),
    fc.constantFrom("ALL", "root", "%wheel", "#0", "a b", "a\nb", "-x", "a=ALL", "!bob", "+", "a:b"),
  );
  const keyTexts = fc.oneof(
    hostile,
    hostile.map((comment) => `${ed25519} ${comment}`),
    hostile.map((options) => `${options} ${ed25519}`),
    fc.constant(rsaKey()),
  );
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(hostile, keyTexts, async (SshUsername, SshPublicKey) => {
      const IamUserArn = userArn("bob");
      for (const change of [{ SshUsername }, { SshPublicKey }]) {
        const { status } = await stack.post(admin, "/UpdateUserProfile", { IamUserArn, ...change });
        if (status === 200) accepted += 1;
        else expect([400, 409]).toContain(status);
      }
      const { Lines } = (await ask(instance.as, instance.StackId, { Format: "Lines" })).body;
      expect(Lines).toMatch(
        /^[A-Za-z_][A-Za-z0-9_-]{0,31}\t[2-4]\d{3}\t[01]\t(?:[a-z0-9-]+ [A-Za-z0-9+/]+={0,2})?\n$/,
      );
      expect(Lines).not.toMatch(/^(?:all|root)\t/i);
    }),
    { numRuns: 60 },
  );
  expect(accepted).toBeGreaterThan(10);
}, 60_000);

function numbersOf(key: KeyObject) {
  const { n = "", e = "" } = key.export({ format: "jwk" });
  const plain = (text: string) => Buffer.from(text, "base64url").toString("base64");
  return { Modulus: plain(n), Exponent: plain(e) };
}

/** In the form of a key file. */
function rsaKey(): string {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const field = (bytes: Buffer) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const number = (text: string) => {
    const bytes = Buffer.from(text, "base64url");
    return field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
  };
  const blob = Buffer.concat([field(Buffer.from("ssh-rsa")), number(e), number(n)]);
  return `ssh-rsa ${blob.toString("base64")} comment`;
}
