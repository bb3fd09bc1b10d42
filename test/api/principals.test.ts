import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { keys } from "../../shared/table/keys.ts";
import {
  ACCOUNT,
  iamRole,
  iamUser,
  ANY_VERSION,
  openTestStack,
  policy,
  roleArn,
  sessionArn,
  type TestStack,
  userArn,
  type Wire,
} from "../setup/test-stack.ts";
import sshKeys from "../unit/data/ssh-public-keys.json" with { type: "json" };

const SSO = "AWSReservedSSO_Developers_0123456789abcdef";
const OTHER_SSO = "AWSReservedSSO_Operators_fedcba9876543210";
const FAKE_SSO = "AWSReservedSSO_Fake_00112233445566aa";
const RESERVED = "aws-reserved/sso.amazonaws.com/eu-west-1/";
const JANE = "jane@example.com";
const personArn = (name: string) =>
  `arn:aws:sts::${ACCOUNT}:assumed-role/aws-reserved/sso.amazonaws.com/${name}`;
const federatedArn = (name: string) => `arn:aws:sts::${ACCOUNT}:federated-user/${name}`;

const REFUSED = { __type: "AccessDeniedException" };

let stack: TestStack;
let stackId: string;
let admin: Identity;

beforeAll(async () => {
  stack = await openTestStack({ administrators: [userArn("admin")] });
  await stack.importAccount({
    UserDetailList: [
      iamUser("admin"),
      { ...iamUser("pat"), Arn: userArn("teams/web/pat") },
      iamUser("again", { id: "AIDAOLD" }),
    ],
    RoleDetailList: [
      iamRole("pipeline", { policies: { deploy: policy("Allow", "opsworks:CreateDeployment") } }),
      iamRole(SSO, { path: RESERVED, policies: { start: policy("Allow", "opsworks:StartStack") } }),
      iamRole(OTHER_SSO, { path: RESERVED, policies: { no: policy("Deny", "opsworks:DeleteLayer") } }),
      iamRole(FAKE_SSO, { path: "mine/" }),
    ],
  });
  admin = stack.asUser("admin");
});
afterAll(() => stack.close());
beforeEach(async () => {
  stackId = await stack.addStack();
});

const set = (IamUserArn: string, change: object) =>
  stack.post(admin, "/SetPermission", { StackId: stackId, IamUserArn, ...change });
const mine = (as: Identity) => stack.post(as, "/DescribeMyUserProfile", {});

/** What somebody is answered about themselves. */
async function may(as: Identity, action: string): Promise<Wire> {
  const { body } = await stack.post(as, "/access/v1/evaluation", {
    subject: { type: "user", id: as.userArn },
    action: { name: `opsworks:${action}` },
    resource: { type: "stack", id: stackId },
  });
  return body.context ?? body;
}

describe("an IAM user with a path", () => {
  test("is known by the whole ARN", async () => {
    const arn = userArn("teams/web/pat");
    await set(arn, { Level: "show" });
    expect(await may(stack.signIn(arn, "AIDAPAT"), "DescribeLayers")).toMatchObject({ rule: "level-allow" });
    expect(await may(stack.signIn(userArn("pat"), "AIDAPAT"), "DescribeLayers")).toMatchObject(REFUSED);
  });

  test("made again under the old name is somebody else", async () => {
    const arn = userArn("again");
    await set(arn, { Level: "manage" });
    expect(await may(stack.asUser("again", "AIDAOLD"), "CreateLayer")).toMatchObject({ decision: "allowed" });
    expect(await may(stack.asUser("again", "AIDANEW"), "CreateLayer")).toMatchObject(REFUSED);
    await stack.importAccount({ UserDetailList: [iamUser("again", { id: "AIDANEW" })] });
    expect(await may(stack.asUser("again", "AIDANEW"), "CreateLayer")).toMatchObject({
      rule: "default-deny",
      level: "iam_only",
    });
    expect(await may(stack.asUser("again", "AIDAOLD"), "CreateLayer")).toMatchObject(REFUSED);
  });
});

describe("the account root", () => {
  test("may do everything, and nobody else's root does", async () => {
    expect(await may(stack.asRoot(), "DeleteStack")).toMatchObject({ rule: "account-owner" });
    const foreign = stack.signIn("arn:aws:iam::210987654321:root", "210987654321");
    expect(await may(foreign, "DeleteStack")).toMatchObject(REFUSED);
  });
});

describe("a federated user", () => {
  test("gets a profile by the first look at it, which is always allowed", async () => {
    const bob = stack.asFederated("bob");
    expect(await may(bob, "DescribeLayers")).toMatchObject(REFUSED);
    const { status, body } = await mine(bob);
    expect(status).toBe(200);
    expect(body.UserProfile).toEqual({
      IamUserArn: federatedArn("bob"),
      Name: "bob",
      SshUsername: "bob",
      ...ANY_VERSION,
    });
    expect(await stack.read(keys.user(federatedArn("bob")))).toMatchObject({ Kind: "federated" });
    expect(await stack.eventsAboutUser(federatedArn("bob"))).toMatchObject([
      { Operation: "DescribeMyUserProfile", Caller: federatedArn("bob"), After: { SshUsername: "bob" } },
    ]);
    expect((await mine(bob)).body.UserProfile).toEqual(body.UserProfile);
  });

  test("gets one profile, however often they look at once", async () => {
    const replies = await Promise.all(Array.from({ length: 6 }, () => mine(stack.asFederated("eager"))));
    expect(replies.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(await stack.eventsAboutUser(federatedArn("eager"))).toHaveLength(1);
  });

  test("changes it only with self-management, and has levels alone", async () => {
    const dan = stack.asFederated("dan");
    await mine(dan);
    const change = { SshPublicKey: sshKeys.ed25519 };
    expect((await stack.post(dan, "/UpdateMyUserProfile", change)).status).toBe(403);
    await stack.post(admin, "/UpdateUserProfile", { IamUserArn: dan.userArn, AllowSelfManagement: true });
    expect((await stack.post(dan, "/UpdateMyUserProfile", change)).status).toBe(200);
    await set(dan.userArn, { Level: "deploy" });
    expect(await may(dan, "CreateDeployment")).toMatchObject({ rule: "level-allow" });
    expect(await may(dan, "CreateLayer")).toMatchObject({ rule: "default-deny" });
  });

  test("is not made by who is only named", async () => {
    const caller = federatedArn("named");
    await expect(stack.invoke("DescribeMyUserProfile", { caller, input: {} })).rejects.toThrow(
      "Unable to find",
    );
    expect(await stack.read(keys.user(caller))).toBeUndefined();
  });
});

describe("a session of a role", () => {
  test("has the role's policies and levels, whatever it is called", async () => {
    await set(roleArn("pipeline"), { Level: "show" });
    for (const name of ["run-1", "admin", JANE]) {
      const as = stack.asRole("pipeline", name);
      expect(await may(as, "CreateDeployment")).toMatchObject({ rule: "policy-allow" });
      expect(await may(as, "DescribeLayers")).toMatchObject({ rule: "level-allow" });
      expect(await may(as, "CreateLayer")).toMatchObject({ rule: "default-deny" });
    }
  });

  test("called like somebody else gets nothing of theirs", async () => {
    await mine(stack.asRole(SSO, JANE));
    await set(personArn(JANE), { Level: "manage" });
    await set(userArn("admin"), { Level: "manage" });
    for (const role of ["pipeline", FAKE_SSO]) {
      for (const name of ["admin", JANE]) {
        expect(await may(stack.asRole(role, name), "CreateLayer")).toMatchObject({
          decision: "implicitDeny",
          level: "iam_only",
        });
      }
      expect((await mine(stack.asRole(role, JANE))).status).toBe(403);
    }
  });

  test("of a role that is only called like one of Identity Center's makes no person, and changes nobody's profile", async () => {
    const fake = stack.asRole(FAKE_SSO, JANE);
    await stack.post(admin, "/UpdateUserProfile", {
      IamUserArn: roleArn(FAKE_SSO),
      AllowSelfManagement: true,
    });
    expect((await mine(fake)).body.UserProfile.IamUserArn).toBe(roleArn(FAKE_SSO));
    expect((await stack.post(fake, "/UpdateMyUserProfile", { SshPublicKey: sshKeys.ed25519 })).status).toBe(
      200,
    );
    expect(await stack.read(keys.user(personArn(JANE)))).not.toHaveProperty("SshPublicKey");
  });

  test("of another role under the same name is not who was imported", async () => {
    await set(roleArn("pipeline"), { Level: "manage" });
    const impostor = stack.asRole("pipeline", "run-1", "AROAOTHER");
    expect(await may(impostor, "CreateLayer")).toMatchObject(REFUSED);
  });
});

describe("a person of Identity Center", () => {
  test("has one profile, whichever permission set they come by", async () => {
    const { status, body } = await mine(stack.asRole(SSO, "kim@example.com"));
    expect(status).toBe(200);
    expect(body.UserProfile).toEqual({
      IamUserArn: personArn("kim@example.com"),
      Name: "kim@example.com",
      SshUsername: "kimexamplecom",
      ...ANY_VERSION,
    });
    expect((await mine(stack.asRole(OTHER_SSO, "kim@example.com"))).body.UserProfile).toEqual(
      body.UserProfile,
    );
    expect(await stack.read(keys.user(personArn("kim@example.com")))).toMatchObject({ Kind: "person" });
  });

  test("has their own levels by every permission set, and the policies of the one they came by", async () => {
    const [byDevelopers, byOperators] = [stack.asRole(SSO, JANE), stack.asRole(OTHER_SSO, JANE)];
    await mine(byDevelopers);
    await set(personArn(JANE), { Level: "manage" });
    for (const as of [byDevelopers, byOperators])
      expect(await may(as, "CreateLayer")).toMatchObject({ rule: "level-allow", level: "manage" });
    expect(await may(byDevelopers, "DeleteLayer")).toMatchObject({ decision: "allowed" });
    expect(await may(byOperators, "DeleteLayer")).toMatchObject({ rule: "policy-deny" });
    await set(personArn(JANE), { Level: "iam_only" });
    expect(await may(byDevelopers, "StartStack")).toMatchObject({ rule: "policy-allow" });
    expect(await may(byOperators, "StartStack")).toMatchObject({ rule: "default-deny" });
    expect(await may(stack.asRole(SSO, "joe@example.com"), "CreateLayer")).toMatchObject({
      level: "iam_only",
    });
  });

  test("shares what is given to the role, and a deny there wins", async () => {
    await mine(stack.asRole(SSO, JANE));
    await set(roleArn(SSO), { Level: "deploy" });
    expect(await may(stack.asRole(SSO, "new@example.com"), "CreateDeployment")).toMatchObject({
      rule: "level-allow",
      level: "deploy",
      levelFrom: `role/${SSO}`,
      reason: `the level \`deploy\` of the role \`${SSO}\` includes it`,
    });
    await set(personArn(JANE), { Level: "manage" });
    expect(await may(stack.asRole(SSO, JANE), "CreateLayer")).toMatchObject({ level: "manage" });
    await set(roleArn(SSO), { Level: "deny" });
    expect(await may(stack.asRole(SSO, JANE), "CreateLayer")).toMatchObject({ rule: "level-deny" });
    expect(await may(stack.asRole(OTHER_SSO, JANE), "CreateLayer")).toMatchObject({ rule: "level-allow" });
    await set(roleArn(SSO), { Level: "show" });
    const { body } = await mine(stack.asRole(SSO, "new@example.com"));
    expect(body.Permissions.find((row: Wire) => row.StackId === stackId)).toMatchObject({
      Level: "iam_only",
      EffectiveLevel: "show",
      LevelFrom: `role/${SSO}`,
    });
  });

  test("sets neither their own level nor their role's", async () => {
    await mine(stack.asRole(SSO, JANE));
    await set(personArn(JANE), { Level: "manage" });
    for (const IamUserArn of [personArn(JANE), roleArn(SSO)]) {
      const { status, body } = await stack.post(stack.asRole(SSO, JANE), "/SetPermission", {
        StackId: stackId,
        IamUserArn,
        Level: "show",
      });
      expect([status, body.message]).toEqual([
        400,
        "Unable to change own permission level. Only AllowSsh and AllowSudo allowed.",
      ]);
    }
    const access = { StackId: stackId, IamUserArn: personArn(JANE), AllowSsh: true };
    expect((await stack.post(stack.asRole(SSO, JANE), "/SetPermission", access)).status).toBe(200);
  });

  test("can be made known beforehand, and is asked about by their session", async () => {
    const IamUserArn = personArn("early@example.com");
    expect((await stack.post(admin, "/CreateUserProfile", { IamUserArn })).body).toEqual({ IamUserArn });
    await set(IamUserArn, { Level: "show" });
    const ask = (id: string) =>
      stack.post(admin, "/access/v1/evaluation", {
        subject: { type: "user", id },
        action: { name: "opsworks:DescribeLayers" },
        resource: { type: "stack", id: stackId },
      });
    expect((await ask(sessionArn(SSO, "early@example.com"))).body.decision).toBe(true);
    expect((await ask(IamUserArn)).status).toBe(400);
  });
});

describe("whom IAM no longer has", () => {
  test("loses at once what policies gave, but nothing that they denied", async () => {
    await stack.importAccount({
      UserDetailList: [
        iamUser("leaver", {
          policies: {
            some: policy("Allow", "opsworks:CreateStack"),
            no: policy("Deny", "opsworks:DeleteLayer"),
          },
        }),
      ],
    });
    const arn = userArn("leaver");
    await set(arn, { Level: "manage", AllowSsh: true });
    const ask = async (action: string, resource: object = { type: "stack", id: stackId }) =>
      (
        await stack.post(admin, "/access/v1/evaluation", {
          subject: { type: "user", id: arn },
          action: { name: action },
          resource,
        })
      ).body.context;
    const account = { type: "account", id: ACCOUNT };
    expect(await ask("opsworks:CreateStack", account)).toMatchObject({ rule: "policy-allow" });

    const GoneSince = "2026-01-02T03:04:05.000Z";
    await stack.loseFromIam(arn, GoneSince);
    expect(await ask("opsworks:CreateStack", account)).toMatchObject({
      rule: "default-deny",
      reason: `nothing allows it: IAM has no such user or role since ${GoneSince}, so policies give nothing any more`,
    });
    expect(await ask("opsworks:DeleteLayer")).toMatchObject({ rule: "policy-deny" });
    expect(await ask("opsworks:CreateLayer")).toMatchObject({ rule: "level-allow" });
    const { body } = await stack.post(admin, "/DescribeUserProfiles", { IamUserArns: [arn] });
    expect(body.UserProfiles[0]).toMatchObject({ IamUserArn: arn, GoneSince });
  });

  test("is listed with all that is still held, until the profile is deleted", async () => {
    const [orphan, harmless] = [userArn("orphan"), userArn("harmless")];
    await stack.importAccount({ UserDetailList: [iamUser("orphan"), iamUser("harmless"), iamUser("here")] });
    await set(orphan, { Level: "show", AllowSsh: true, AllowSudo: true });
    await set(userArn("here"), { Level: "show", AllowSsh: true });
    for (const arn of [orphan, harmless]) await stack.loseFromIam(arn, "2026-01-02T03:04:05.000Z");
    const mineOf = async () => {
      const { body } = await stack.post(admin, "/DescribeOrphans", {});
      return body.Orphans.filter((row: Wire) => [orphan, harmless, userArn("here")].includes(row.IamUserArn));
    };
    expect(await mineOf()).toEqual([
      {
        IamUserArn: orphan,
        Name: "orphan",
        SshUsername: "orphan",
        GoneSince: "2026-01-02T03:04:05.000Z",
        Permissions: [{ StackId: stackId, Level: "show", AllowSsh: true, AllowSudo: true }],
      },
    ]);
    expect((await stack.post(stack.asRole("pipeline", "x"), "/DescribeOrphans", {})).status).toBe(403);
    await stack.post(admin, "/DeleteUserProfile", { IamUserArn: orphan });
    expect(await mineOf()).toEqual([]);

    // Made again here, without IAM having them back, policies still give nothing.
    await stack.post(admin, "/CreateUserProfile", { IamUserArn: orphan });
    expect(await stack.read(keys.user(orphan))).toMatchObject({ GoneSince: "2026-01-02T03:04:05.000Z" });
  });

  test("is nobody's orphan on a stack that is gone too", async () => {
    await stack.importAccount({ UserDetailList: [iamUser("stackless")] });
    await set(userArn("stackless"), { AllowSsh: true });
    await stack.loseFromIam(userArn("stackless"));
    await stack.post(admin, "/DeleteStack", { StackId: stackId });
    const { body } = await stack.post(admin, "/DescribeOrphans", {});
    expect(body.Orphans.map((row: Wire) => row.IamUserArn)).not.toContain(userArn("stackless"));
  });
});
