import { DeleteCommand } from "@aws-sdk/lib-dynamodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Identity } from "../../infra/local/sigv4.ts";
import { hashOf } from "../../shared/model/policy-hash.ts";
import { keys } from "../../shared/table/keys.ts";
import { putPolicy } from "../../shared/table/policies.ts";
import { putUser } from "../../shared/table/users.ts";
import { transact } from "../../shared/table/write.ts";
import {
  ACCOUNT,
  arnOfStack,
  iamRole,
  iamUser,
  openTestStack,
  policy,
  roleArn,
  sessionArn,
  type TestStack,
  userArn,
} from "../setup/test-stack.ts";

const INSTANCE = "i-0123456789abcdef0";
const NO_STACK = "00000000-0000-4000-8000-000000000000";
const FEDERATED = `arn:aws:sts::${ACCOUNT}:federated-user/fay`;
const fullAccess = policy("Allow", "opsworks:*");
const passRole = (rest: object = {}) => policy("Allow", "iam:PassRole", roleArn("service-role"), rest);

let stack: TestStack;
let webshop: string;
let billing: string;
let bob: Identity;
let tool: Identity;

beforeAll(async () => {
  stack = await openTestStack({
    administrators: ["erin", "frank", "gina"].map(userArn),
  });
  webshop = await stack.addStack("webshop", { team: "shop" });
  billing = await stack.addStack("billing", { team: "money" });
  await stack.importAccount({
    UserDetailList: [
      iamUser("bob"),
      iamUser("manager"),
      iamUser("carol", { policies: { "no-layers": policy("Deny", "opsworks:CreateLayer") } }),
      iamUser("dave", { policies: { "full-access": fullAccess } }),
      iamUser("erin"),
      iamUser("frank"),
      iamUser("with-mfa", {
        policies: {
          "if-mfa": policy("Allow", "opsworks:StopInstance", "*", {
            Condition: { Bool: { "aws:MultiFactorAuthPresent": "true" } },
          }),
        },
      }),
      iamUser("not-via-service", {
        policies: {
          all: policy("Allow", "opsworks:*"),
          direct: policy("Deny", "*", "*", { Condition: { Bool: { "aws:ViaAWSService": "false" } } }),
        },
      }),
      iamUser("at-the-office", {
        policies: {
          all: fullAccess,
          "office-only": policy("Deny", "*", "*", {
            Sid: "Office",
            Condition: { NotIpAddress: { "aws:SourceIp": "203.0.113.0/24" } },
          }),
        },
      }),
      iamUser("own-team", {
        Tags: [{ Key: "team", Value: "shop" }],
        policies: {
          team: policy("Allow", "opsworks:UpdateStack", "*", {
            Condition: { StringEquals: { "aws:ResourceTag/team": "${aws:PrincipalTag/team}" } },
          }),
        },
      }),
      iamUser(webshop, {
        policies: {
          namesake: policy("Allow", "opsworks:StopStack", "arn:aws:opsworks:*:*:stack/${aws:username}/"),
        },
      }),
      iamUser("grouped", { GroupList: ["viewers"] }),
      iamUser("bounded", {
        policies: { all: fullAccess },
        PermissionsBoundary: { PermissionsBoundaryArn: "arn:aws:iam::aws:policy/only-describe" },
      }),
      iamUser("unreadable", {
        policies: { all: fullAccess, broken: { Statement: { Effect: "deny", Action: "*", Resource: "*" } } },
      }),
      iamUser("missing", { policies: { gone: policy("Allow", "opsworks:RebootInstance") } }),
      iamUser("creator", { policies: { create: policy("Allow", "opsworks:CreateStack") } }),
    ],
    GroupDetailList: [
      {
        GroupName: "viewers",
        GroupPolicyList: [{ PolicyName: "view", PolicyDocument: policy("Allow", "opsworks:DescribeStacks") }],
      },
    ],
    RoleDetailList: [
      iamRole("tool", { policies: { ask: policy("Allow", "stackwarden:CheckAuthorization") } }),
      iamRole("dev", { policies: { reboot: policy("Allow", "opsworks:RebootInstance") } }),
      iamRole("app", { trusts: "ec2.amazonaws.com", policies: { all: fullAccess } }),
      iamRole("passing-app", {
        trusts: "ec2.amazonaws.com",
        policies: { all: fullAccess, pass: passRole() },
      }),
      iamRole("passing-to-opsworks", {
        trusts: "ec2.amazonaws.com",
        policies: {
          all: fullAccess,
          pass: passRole({
            Condition: { StringEquals: { "iam:PassedToService": "opsworks.amazonaws.com" } },
          }),
        },
      }),
      iamRole("passing-to-ec2", {
        trusts: "ec2.amazonaws.com",
        policies: {
          all: fullAccess,
          pass: passRole({
            Condition: { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } },
          }),
        },
      }),
      iamRole("drifted-app", {
        policies: { all: fullAccess },
        InstanceProfileList: [{ Arn: `arn:aws:iam::${ACCOUNT}:instance-profile/drifted` }],
      }),
      iamRole("no-app", { policies: { all: fullAccess } }),
    ],
    Policies: [
      {
        Arn: "arn:aws:iam::aws:policy/only-describe",
        DefaultVersionId: "v1",
        PolicyVersionList: [{ VersionId: "v1", Document: policy("Allow", "opsworks:Describe*") }],
      },
    ],
  });
  for (const [name, Level] of [
    ["bob", "deploy"],
    ["manager", "manage"],
    ["carol", "manage"],
    ["dave", "deny"],
    ["frank", "deny"],
    ["bounded", "manage"],
    ["unreadable", "manage"],
  ] as const) {
    await stack.grant(webshop, userArn(name), { Level });
  }
  await stack.grant(webshop, roleArn("dev"), { Level: "show" });
  bob = stack.asUser("bob");
  tool = stack.asRole("tool", "run-1");
});
afterAll(() => stack.close());

const question = (id: string, action: string, stackId = webshop) => ({
  subject: { type: "user", id },
  action: { name: action },
  resource: { type: "stack", id: stackId },
});
const send = (as: Identity, body: object, headers?: Record<string, string>) =>
  stack.post(as, "/access/v1/evaluation", body, headers);
const ask = (as: Identity, id: string, action: string, more: object = {}) =>
  send(as, { ...question(id, action), ...more });

/** What the tool is told; a reply that is no decision fails the test. */
async function decisionOn(id: string, action: string, more: object = {}) {
  const { status, body } = await ask(tool, id, action, more);
  expect({ status, body }).toMatchObject({ status: 200 });
  expect(body.decision).toBe(body.context.decision === "allowed");
  return body.context;
}

describe("a user who asks about themselves", () => {
  test("is told what the level allows, and why, in AuthZEN's shape", async () => {
    const { status, body } = await ask(bob, bob.userArn, "opsworks:CreateDeployment");
    expect(status).toBe(200);
    expect(body).toEqual({
      decision: true,
      context: {
        decision: "allowed",
        rule: "level-allow",
        level: "deploy",
        reason: "the level `deploy` includes it",
      },
    });
  });

  test("is told what would grant what is refused, in a 200", async () => {
    const { status, body } = await ask(bob, bob.userArn, "opsworks:CreateLayer");
    expect(status).toBe(200);
    expect(body).toEqual({
      decision: false,
      context: {
        decision: "implicitDeny",
        rule: "default-deny",
        level: "deploy",
        reason: "nothing allows it: the level `manage` or a policy would",
        wouldGrant: "manage",
      },
    });
  });

  test("is told the statement of the policy that decided", async () => {
    const { body } = await ask(stack.asUser("carol"), userArn("carol"), "opsworks:CreateLayer");
    expect(body).toEqual({
      decision: false,
      context: {
        decision: "explicitDeny",
        rule: "policy-deny",
        level: "manage",
        reason: "policy `no-layers`, statement number 1, denies it",
        statements: [{ policy: "no-layers", effect: "Deny", index: 0 }],
      },
    });
  });

  test("is refused when there is no such user here", async () => {
    const nobody = stack.asUser("nobody");
    expect(await ask(nobody, nobody.userArn, "opsworks:CreateLayer")).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: `User: ${nobody.userArn} is not authorized to perform: opsworks:CreateLayer on resource: ${arnOfStack(webshop)} (default-deny: nothing allows it: there is no such user here, an administrator can import it)`,
      },
    });
  });

  test("cannot bring a context along: they would vouch for themselves", async () => {
    const withMfa = stack.asUser("with-mfa");
    const context = { "aws:MultiFactorAuthPresent": true };
    expect(await ask(withMfa, withMfa.userArn, "opsworks:StopInstance", { context })).toMatchObject({
      status: 403,
      body: { message: expect.stringContaining("perform: stackwarden:CheckAuthorization on resource") },
    });
  });

  test("is decided in the context of this very request", async () => {
    const there = stack.asUser("at-the-office");
    const { body } = await ask(there, there.userArn, "opsworks:StopStack");
    expect(body.context).toMatchObject({
      rule: "policy-deny",
      statements: [{ sid: "Office" }],
      reason: "policy `office-only`, statement Office, denies it",
    });
  });
});

describe("about others", () => {
  test("a level below manage does not let one ask", async () => {
    expect(await ask(bob, userArn("carol"), "opsworks:DescribeStacks")).toMatchObject({
      status: 403,
      body: {
        __type: "AccessDeniedException",
        message: `User: ${bob.userArn} is not authorized to perform: stackwarden:CheckAuthorization on resource: ${arnOfStack(webshop)} (default-deny: nothing allows it: the level \`manage\` or a policy would)`,
      },
    });
  });

  test("manage on the stack lets one ask, on that stack alone", async () => {
    const manager = stack.asUser("manager");
    expect((await ask(manager, bob.userArn, "opsworks:CreateDeployment")).body.decision).toBe(true);
    expect((await send(manager, question(bob.userArn, "opsworks:CreateDeployment", billing))).status).toBe(
      403,
    );
  });

  test("a policy lets one ask, on every stack it names", async () => {
    expect((await ask(tool, bob.userArn, "opsworks:CreateDeployment")).body.decision).toBe(true);
    expect(
      (await send(tool, question(bob.userArn, "opsworks:CreateDeployment", billing))).body,
    ).toMatchObject({ decision: false, context: { level: "iam_only" } });
  });

  test("somebody who was never imported may do nothing, and the reason says so", async () => {
    expect(await decisionOn(userArn("nobody"), "opsworks:DescribeStacks")).toEqual({
      decision: "implicitDeny",
      rule: "default-deny",
      level: "iam_only",
      reason: "nothing allows it: there is no such user here, an administrator can import it",
    });
  });

  test("an unknown stack is a 404 to whoever may ask everywhere", async () => {
    expect(await send(tool, question(bob.userArn, "opsworks:DescribeStacks", NO_STACK))).toMatchObject({
      status: 404,
      body: { __type: "ResourceNotFoundException", message: `Unable to find stack with ID ${NO_STACK}` },
    });
  });

  test("an unknown stack is a 403 to whoever may not, as a known one would be", async () => {
    const stranger = await send(bob, question(userArn("carol"), "opsworks:DescribeStacks", NO_STACK));
    expect(stranger.status).toBe(403);
    expect(stranger.body.message).not.toContain("Unable to find");
  });

  test("an unknown stack is a 404 to a user who asks about themselves", async () => {
    expect((await send(bob, question(bob.userArn, "opsworks:DescribeStacks", NO_STACK))).status).toBe(404);
  });
});

describe("the context that an enforcement point supplies", () => {
  test("decides, where a policy asks for MFA", async () => {
    const withMfa = (context?: object) =>
      decisionOn(userArn("with-mfa"), "opsworks:StopInstance", context ? { context } : {});
    expect(await withMfa({ "aws:MultiFactorAuthPresent": true })).toMatchObject({ rule: "policy-allow" });
    expect(await withMfa({ "AWS:multifactorauthpresent": "true" })).toMatchObject({ rule: "policy-allow" });
    expect(await withMfa({ "aws:MultiFactorAuthPresent": false })).toMatchObject({ rule: "default-deny" });
    expect(await withMfa({ "aws:MultiFactorAuthPresent": false })).not.toHaveProperty("absentKeys");
  });

  test("decides, where a policy asks for an address", async () => {
    const from = (ip: string) =>
      decisionOn(userArn("at-the-office"), "opsworks:StopStack", { context: { "aws:SourceIp": ip } });
    expect(await from("203.0.113.9")).toMatchObject({ rule: "policy-allow" });
    expect(await from("198.51.100.9")).toMatchObject({ rule: "policy-deny" });
  });

  test("is absent where it is left out, not the enforcement point's own, and the answer names it", async () => {
    expect(await decisionOn(userArn("with-mfa"), "opsworks:StopInstance")).toMatchObject({
      decision: "implicitDeny",
      absentKeys: ["aws:multifactorauthpresent"],
    });
    expect(await decisionOn(userArn("at-the-office"), "opsworks:StopStack")).toMatchObject({
      rule: "policy-deny",
      absentKeys: ["aws:sourceip"],
    });
  });

  test.for([
    "aws:username",
    "aws:PrincipalArn",
    "aws:userid",
    "aws:CurrentTime",
    "aws:TokenIssueTime",
    "AWS:PRINCIPALTAG/team",
    "aws:ResourceTag/team",
    "iam:PassedToService",
  ])("cannot replace %s, which the service fills", async (key) => {
    const reply = await ask(tool, bob.userArn, "opsworks:StopStack", { context: { [key]: "x" } });
    expect(reply).toMatchObject({
      status: 400,
      body: {
        __type: "ValidationException",
        message: `\`context["${key}"]\` is filled by the service and cannot be supplied`,
      },
    });
  });

  test("cannot give a list to a key that has one value", async () => {
    const context = { "aws:SourceIp": ["203.0.113.9"] };
    expect(await ask(tool, userArn("at-the-office"), "opsworks:StopStack", { context })).toMatchObject({
      status: 400,
      body: { message: '`context["aws:SourceIp"]` has one value, so it cannot be a list' },
    });
  });

  test("may give a list to a key that holds one", async () => {
    const context = { "aws:TagKeys": ["team", "cost"], "saml:groups": ["a", "b"] };
    expect(await decisionOn(bob.userArn, "opsworks:CreateDeployment", { context })).toMatchObject({
      decision: "allowed",
    });
  });

  test.for([
    ["aws:SourceIp", "203.0.113.9:443"],
    ["aws:MultiFactorAuthAge", "7200.5s"],
    ["aws:MultiFactorAuthPresent", "0"],
    ["aws:SourceArn", "bucket"],
  ])("is refused where a Deny could not read it: %s", async ([key = "", value]) => {
    const refused = await ask(tool, bob.userArn, "opsworks:StopStack", { context: { [key]: value } });
    expect(refused).toMatchObject({ status: 400, body: { message: expect.stringContaining(key) } });
  });

  test("is of a request that no service stands in between, unless it says so", async () => {
    const viaService = { "aws:ViaAWSService": "true" };
    expect(await decisionOn(userArn("not-via-service"), "opsworks:StopStack")).toMatchObject({
      rule: "policy-deny",
    });
    expect(
      await decisionOn(userArn("not-via-service"), "opsworks:StopStack", { context: viaService }),
    ).toMatchObject({ rule: "policy-allow" });
  });

  test("is refused, not guessed at, when a negated operator cannot read it", async () => {
    const context = { "aws:SourceIp": "the office" };
    expect(await ask(tool, userArn("at-the-office"), "opsworks:StopStack", { context })).toMatchObject({
      status: 400,
      body: {
        __type: "ValidationException",
        message: '`context["aws:SourceIp"]` must be an IP address',
      },
    });
  });

  test("is refused when two keys differ in case only", async () => {
    const context = { "aws:SourceIp": "203.0.113.9", "aws:sourceip": "198.51.100.9" };
    expect((await ask(tool, bob.userArn, "opsworks:StopStack", { context })).status).toBe(400);
  });
});

describe("the policies that count", () => {
  test("are conditioned on the tags of the stack and of the user", async () => {
    expect(await decisionOn(userArn("own-team"), "opsworks:UpdateStack")).toMatchObject({
      rule: "policy-allow",
    });
    const elsewhere = { resource: { type: "stack", id: billing } };
    expect(await decisionOn(userArn("own-team"), "opsworks:UpdateStack", elsewhere)).toMatchObject({
      rule: "default-deny",
    });
  });

  test("know the user's name as ${aws:username}", async () => {
    expect(await decisionOn(userArn(webshop), "opsworks:StopStack")).toMatchObject({ rule: "policy-allow" });
    const elsewhere = { resource: { type: "stack", id: billing } };
    expect(await decisionOn(userArn(webshop), "opsworks:StopStack", elsewhere)).toMatchObject({
      rule: "default-deny",
    });
  });

  test("are those of the user's groups too", async () => {
    expect(await decisionOn(userArn("grouped"), "opsworks:DescribeStacks")).toMatchObject({
      rule: "policy-allow",
      statements: [{ policy: "group/viewers view" }],
    });
  });

  test("are capped by the permissions boundary, and so is the level", async () => {
    expect(await decisionOn(userArn("bounded"), "opsworks:StopStack")).toMatchObject({
      rule: "boundary",
      level: "manage",
    });
    expect(await decisionOn(userArn("bounded"), "opsworks:DescribeStacks")).toMatchObject({
      decision: "allowed",
    });
  });

  test("deny everything while one of them cannot be read, by its name", async () => {
    expect(await decisionOn(userArn("unreadable"), "opsworks:DescribeStacks")).toMatchObject({
      decision: "explicitDeny",
      rule: "policy-unreadable",
      unreadablePolicies: ["broken"],
      reason: "it might be denied by what could not be read: `broken`",
    });
  });

  test("deny everything while the document of one is missing from the table", async () => {
    const { Policies } = await stack.read(keys.user(userArn("missing")));
    expect(Policies).toEqual([{ Name: "gone", Hash: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    const onlyHere = policy("Allow", "opsworks:RebootInstance", "*", { Sid: "OnlyHere" });
    await stack.importAccount({
      UserDetailList: [iamUser("missing", { policies: { gone: onlyHere } })],
    });
    const Key = keys.policy(hashOf(JSON.stringify(onlyHere)));
    await stack.table.client.send(new DeleteCommand({ TableName: stack.tableName, Key }));

    expect(await decisionOn(userArn("missing"), "opsworks:RebootInstance")).toMatchObject({
      rule: "policy-unreadable",
      unreadablePolicies: ["gone"],
    });

    await putPolicy(stack.table, JSON.stringify(onlyHere));
    expect(await decisionOn(userArn("missing"), "opsworks:RebootInstance")).toMatchObject({
      rule: "policy-allow",
    });
  });

  test("do not beat a deny level, not even with full access", async () => {
    expect(await decisionOn(userArn("dave"), "opsworks:DescribeStacks")).toMatchObject({
      decision: "explicitDeny",
      rule: "level-deny",
      reason: "the level on this stack is `deny`, which no policy overrides",
    });
    const elsewhere = { resource: { type: "stack", id: billing } };
    expect(await decisionOn(userArn("dave"), "opsworks:DescribeStacks", elsewhere)).toMatchObject({
      decision: "allowed",
    });
  });
});

describe("an administrator", () => {
  test("is allowed everything", async () => {
    const erin = stack.asUser("erin");
    expect((await ask(erin, erin.userArn, "opsworks:DeleteStack")).body).toMatchObject({
      decision: true,
      context: { rule: "policy-allow", statements: [{ policy: "Administrators" }] },
    });
    expect((await ask(erin, bob.userArn, "opsworks:CreateDeployment")).body.decision).toBe(true);
  });

  test("is refused where the level is deny", async () => {
    const frank = stack.asUser("frank");
    expect((await ask(frank, frank.userArn, "opsworks:DescribeStacks")).body.context.rule).toBe("level-deny");
  });

  test("needs no profile here", async () => {
    const gina = stack.asUser("gina");
    expect((await ask(gina, gina.userArn, "opsworks:DeleteStack")).body).toMatchObject({
      decision: true,
      context: { rule: "policy-allow" },
    });
  });
});

test("the account root is allowed everything", async () => {
  const root = stack.asRoot();
  expect((await ask(root, root.userArn, "opsworks:DeleteStack")).body).toMatchObject({
    decision: true,
    context: { rule: "account-owner" },
  });
});

test("the root of another account is nobody here", async () => {
  const other = stack.signIn("arn:aws:iam::999999999999:root", "999999999999");
  expect((await ask(other, other.userArn, "opsworks:DescribeStacks")).status).toBe(403);
});

describe("a role", () => {
  test("gives its sessions its level and its policies", async () => {
    const session = stack.asRole("dev", "bob");
    expect((await ask(session, session.userArn, "opsworks:DescribeStacks")).body.context).toMatchObject({
      rule: "level-allow",
      level: "show",
    });
    expect((await ask(session, session.userArn, "opsworks:RebootInstance")).body.context).toMatchObject({
      rule: "policy-allow",
    });
  });

  test("gives a session nothing of the person it is named after", async () => {
    const session = stack.asRole("dev", "bob");
    expect((await ask(session, session.userArn, "opsworks:CreateDeployment")).body).toMatchObject({
      decision: false,
      context: { level: "show" },
    });
  });

  test("can be asked about as itself, with or without its path", async () => {
    expect(await decisionOn(roleArn("dev"), "opsworks:DescribeStacks")).toMatchObject({ level: "show" });
    expect(await decisionOn(roleArn("teams/dev"), "opsworks:DescribeStacks")).toMatchObject({
      level: "show",
    });
  });
});

describe("an application on an instance", () => {
  const app = (role: string, session = INSTANCE) => stack.asRole(role, session);

  test("must be able to pass the stack's service role for what a policy allows", async () => {
    expect(await decisionOn(sessionArn("app", INSTANCE), "opsworks:StopStack")).toMatchObject({
      decision: "implicitDeny",
      rule: "pass-role",
      reason: `an application on an instance must be allowed \`iam:PassRole\` on ${roleArn("service-role")}`,
    });
  });

  test("is told so in IAM's words by the operation it calls", async () => {
    const caller = app("app");
    const reply = await stack.post(caller, "/DescribePermissions", { StackId: webshop });
    expect(reply).toMatchObject({ status: 403, body: { __type: "AccessDeniedException" } });
    expect(reply.body.message).toMatch(
      `User: ${caller.userArn} is not authorized to perform: iam:PassRole on resource: ${roleArn("service-role")}`,
    );
  });

  test.for(["passing-app", "passing-to-opsworks"])("is let in as %s", async (role) => {
    const arn = sessionArn(role, INSTANCE);
    expect(await decisionOn(arn, "opsworks:StopStack")).toMatchObject({ rule: "policy-allow" });
    expect((await stack.post(app(role), "/DescribePermissions", { StackId: webshop })).status).toBe(200);
  });

  test("is refused when the role may be passed to another service alone", async () => {
    expect(await decisionOn(sessionArn("passing-to-ec2", INSTANCE), "opsworks:StopStack")).toMatchObject({
      rule: "pass-role",
    });
  });

  test("is whatever has the role of an instance profile, though its trust relationship was changed", async () => {
    const arn = sessionArn("drifted-app", INSTANCE);
    expect(await decisionOn(arn, "opsworks:StopStack")).toMatchObject({ rule: "pass-role" });
    const person = sessionArn("drifted-app", "bob");
    expect(await decisionOn(person, "opsworks:StopStack")).toMatchObject({ rule: "policy-allow" });
  });

  test("may be what has a role that was never imported, whatever its level", async () => {
    const IamUserArn = roleArn("never-imported");
    await stack.post(stack.asRoot(), "/CreateUserProfile", { IamUserArn });
    await stack.grant(webshop, IamUserArn, { Level: "manage" });
    const ask = (session: string) => decisionOn(sessionArn("never-imported", session), "opsworks:StopStack");
    expect(await ask(INSTANCE)).toMatchObject({ rule: "pass-role" });
    expect(await ask("bob")).toMatchObject({ rule: "level-allow" });
  });

  test("is no person signed in through the same role, nor a session of a role that EC2 cannot assume", async () => {
    for (const arn of [sessionArn("app", "bob"), sessionArn("no-app", INSTANCE)]) {
      expect(await decisionOn(arn, "opsworks:StopStack")).toMatchObject({ rule: "policy-allow" });
    }
  });
});

test("a federated user has levels only, since a session policy cannot be seen", async () => {
  const document = JSON.stringify(fullAccess);
  await putPolicy(stack.table, document);
  const fay = {
    IamUserArn: FEDERATED,
    Name: "fay",
    Kind: "federated" as const,
    ProfileId: "profile-of-fay",
    Groups: [],
    Policies: [{ Name: "all", Hash: hashOf(document) }],
    Tags: {},
    AllowSelfManagement: false,
    CreatedAt: new Date().toISOString(),
    Revision: "1",
  };
  await transact(stack.table, [putUser(stack.table, fay, undefined)]);
  await stack.grant(webshop, FEDERATED, { Level: "show" });

  const session = stack.signIn(FEDERATED, `${ACCOUNT}:fay`);
  expect((await ask(session, FEDERATED, "opsworks:DescribeStacks")).body.context.rule).toBe("level-allow");
  expect((await ask(session, FEDERATED, "opsworks:StopStack")).body.context.rule).toBe("default-deny");
});

describe("what is asked", () => {
  const about = (id: string, action: string, resource: object) =>
    send(tool, { subject: { type: "user", id }, action: { name: action }, resource });

  test("is the account where there is no stack", async () => {
    const account = { type: "account", id: ACCOUNT };
    expect((await about(userArn("creator"), "opsworks:CreateStack", account)).body).toMatchObject({
      decision: true,
      context: { rule: "policy-allow" },
    });
    const { body } = await about(bob.userArn, "opsworks:CreateStack", account);
    expect(body.context).toEqual({
      decision: "implicitDeny",
      rule: "default-deny",
      reason: "nothing allows it: only a policy can",
      wouldGrant: "policy",
    });
  });

  test("is not another account", async () => {
    const reply = await about(bob.userArn, "opsworks:CreateStack", { type: "account", id: "999999999999" });
    expect(reply).toMatchObject({ status: 404, body: { __type: "ResourceNotFoundException" } });
  });

  test("may have members at every depth that the standard does not know", async () => {
    const { status, body } = await send(bob, {
      subject: { type: "user", id: bob.userArn, properties: { department: "Sales" } },
      action: { name: "opsworks:CreateDeployment", properties: { method: "GET" } },
      resource: { type: "stack", id: webshop, properties: { status: "active" } },
      options: { evaluations_semantic: "execute_all" },
    });
    expect([status, body.decision]).toEqual([200, true]);
  });

  test("may be an action of any service, which takes a policy", async () => {
    expect(await decisionOn(bob.userArn, "ec2:RunInstances")).toMatchObject({
      rule: "default-deny",
      wouldGrant: "policy",
    });
  });

  test("may be in any case, as IAM's actions are", async () => {
    expect(await decisionOn(bob.userArn, "OpsWorks:createDEPLOYMENT")).toMatchObject({ rule: "level-allow" });
  });

  test("comes back with its X-Request-ID, allowed or refused", async () => {
    const headers = { "x-request-id": "bfe9eb29-ab87-4ca3-be83-a1d5d8305716" };
    const allowed = await send(bob, question(bob.userArn, "opsworks:CreateDeployment"), headers);
    const refused = await send(bob, question(userArn("carol"), "opsworks:CreateDeployment"), headers);
    expect([allowed.status, refused.status]).toEqual([200, 403]);
    for (const reply of [allowed, refused])
      expect(reply.headers.get("x-request-id")).toBe(headers["x-request-id"]);
  });
});

describe("a check", () => {
  beforeEach(async () => {
    await ask(tool, userArn("carol"), "opsworks:CreateLayer");
    stack.sent.length = 0;
  });
  const batches = () =>
    stack.sent.map(({ command, input }) => ({ command, ...input.RequestItems?.[stack.tableName] }));

  test("is exactly one strongly consistent BatchGetItem, once the documents are cached", async () => {
    expect(await decisionOn(userArn("carol"), "opsworks:CreateLayer")).toMatchObject({ rule: "policy-deny" });
    expect(batches()).toEqual([
      {
        command: "BatchGetItem",
        ConsistentRead: true,
        Keys: [
          keys.user(roleArn("tool")),
          keys.user(userArn("carol")),
          keys.stack(webshop),
          keys.grant(webshop, roleArn("tool")),
          keys.grant(webshop, userArn("carol")),
        ],
      },
    ]);
  });

  test("asks for each key once", async () => {
    await ask(bob, bob.userArn, "opsworks:CreateDeployment");
    expect(batches()).toEqual([
      {
        command: "BatchGetItem",
        ConsistentRead: true,
        Keys: [keys.user(bob.userArn), keys.stack(webshop), keys.grant(webshop, bob.userArn)],
      },
    ]);
  });

  test("fetches documents that were not seen yet in a second one, and never again", async () => {
    const document = policy("Allow", "opsworks:StartStack", "*", { Sid: "NotSeenYet" });
    await stack.importAccount({ UserDetailList: [iamUser("newcomer", { policies: { document } })] });
    const check = () => decisionOn(userArn("newcomer"), "opsworks:StartStack");

    expect(await check()).toMatchObject({ rule: "policy-allow" });
    expect(batches().map(({ ConsistentRead, Keys }) => [ConsistentRead, Keys.length])).toEqual([
      [true, 5],
      [true, 1],
    ]);
    await check();
    expect(stack.sent).toHaveLength(3);
  });

  test("sees the level that was set just before, every time", async () => {
    const erin = stack.asUser("erin");
    const levels = ["show", "manage", "deny", "deploy", "iam_only"];
    for (let time = 0; time < 20; time += 1) {
      const Level = levels[time % levels.length];
      const change = { StackId: webshop, IamUserArn: userArn("grouped"), Level };
      expect((await stack.post(erin, "/SetPermission", change)).status).toBe(200);
      expect(await decisionOn(userArn("grouped"), "opsworks:CreateApp")).toMatchObject({
        level: Level,
        decision: { manage: "allowed", deny: "explicitDeny" }[Level ?? ""] ?? "implicitDeny",
      });
    }
  });
});
