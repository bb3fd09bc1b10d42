import { describe, expect, test } from "vitest";
import { decide, type Facts } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { InvalidRequest } from "../../shared/iam/invalid-request.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import type { Level } from "../../shared/model/level.ts";

const STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb-4de5-4429-a149-ff7da9f0d8ee/";
const ROLE = "arn:aws:iam::123456789012:role/aws-opsworks-service-role";
const NOBODY: Facts = { accountOwner: false, policies: [], unreadable: [], selfManagement: false };

type Statement = Readonly<Record<string, unknown>>;

function policy(name: string, ...statements: Statement[]) {
  return { name, policy: compilePolicy({ Version: "2012-10-17", Statement: statements }) };
}

function allow(action: string, resource = "*", condition: object = {}): Statement {
  return { Effect: "Allow", Action: action, Resource: resource, Condition: condition };
}

function deny(action: string, resource = "*"): Statement {
  return { Effect: "Deny", Action: action, Resource: resource };
}

function ask(facts: Partial<Facts>, action: string, resource = STACK, context = new Context([])) {
  return decide({ ...NOBODY, ...facts }, readRequest(action, resource, context));
}

function grant(level: Level, allowSsh = false) {
  return { grant: { stackArn: STACK, level }, allowSsh };
}

describe("GrantAccess", () => {
  const full = [policy("Full", allow("opsworks:*"))];

  test.each(["show", "deploy", "manage"] as const)("takes SSH and level %s", (level) => {
    expect(ask({ ...grant(level, true) }, "opsworks:GrantAccess")).toMatchObject({ rule: "level-allow" });
    expect(ask({ ...grant(level, false) }, "opsworks:GrantAccess")).toEqual({
      decision: "implicitDeny",
      rule: "default-deny",
      level,
      wouldGrant: "AllowSsh",
    });
  });

  test("takes a policy where the level is iam_only, and SSH all the same", () => {
    const facts = { policies: full };
    expect(ask({ ...facts, ...grant("iam_only", true) }, "opsworks:GrantAccess").rule).toBe("policy-allow");
    expect(ask({ ...facts, ...grant("iam_only", false) }, "opsworks:GrantAccess")).toMatchObject({
      decision: "implicitDeny",
      wouldGrant: "AllowSsh",
    });
    expect(ask({ ...grant("iam_only", true) }, "opsworks:GrantAccess")).toMatchObject({
      decision: "implicitDeny",
      wouldGrant: "show",
    });
    expect(ask({ ...facts, allowSsh: false }, "opsworks:GrantAccess", "*")).toMatchObject({
      decision: "implicitDeny",
      wouldGrant: "AllowSsh",
    });
  });

  test("is written in any case", () => {
    expect(ask({ ...grant("manage"), policies: full }, "OpsWorks:grantACCESS").decision).toBe("implicitDeny");
  });

  test("is refused by a deny level, a Deny and a boundary before SSH is looked at", () => {
    const facts = { policies: full };
    expect(ask({ ...facts, ...grant("deny") }, "opsworks:GrantAccess").rule).toBe("level-deny");
    const denied = [...full, policy("No", deny("opsworks:GrantAccess"))];
    expect(ask({ policies: denied, ...grant("manage") }, "opsworks:GrantAccess").rule).toBe("policy-deny");
    const boundary = policy("Boundary", allow("s3:*"));
    expect(ask({ ...facts, boundary, ...grant("manage") }, "opsworks:GrantAccess").rule).toBe("boundary");
  });

  test("SSH is asked of no other action", () => {
    expect(ask({ ...grant("manage", false) }, "opsworks:RebootInstance").rule).toBe("level-allow");
  });
});

describe("an application on an instance", () => {
  const facts = { mustPassRole: ROLE };

  test("needs PassRole on the service role beside the action", () => {
    const opsworks = allow("opsworks:*");
    expect(ask({ ...facts, policies: [policy("App", opsworks)] }, "opsworks:DescribeStacks")).toEqual({
      decision: "implicitDeny",
      rule: "pass-role",
      statement: { policy: "App", effect: "Allow", index: 0 },
    });
    const both = [policy("App", opsworks, allow("iam:PassRole", ROLE))];
    expect(ask({ ...facts, policies: both }, "opsworks:DescribeStacks").rule).toBe("policy-allow");
  });

  test("may be allowed PassRole by another policy, and to OpsWorks alone", () => {
    const toService = (service: string) => [
      policy("App", allow("opsworks:*")),
      policy("Pass", allow("iam:PassRole", "*", { StringEquals: { "iam:PassedToService": service } })),
    ];
    const passTo = (service: string) =>
      ask({ ...facts, policies: toService(service) }, "opsworks:DescribeStacks").rule;
    expect(passTo("opsworks.amazonaws.com")).toBe("policy-allow");
    expect(passTo("ec2.amazonaws.com")).toBe("pass-role");
  });

  test("passes the role to OpsWorks, with the rest of the request's context as it is", () => {
    const condition = {
      StringEquals: { "iam:PassedToService": "opsworks.amazonaws.com", "aws:username": "jane" },
      "ForAnyValue:StringEquals": { "aws:TagKeys": "team" },
    };
    const policies = [policy("App", allow("opsworks:*"), allow("iam:PassRole", ROLE, condition))];
    const decideIn = (tagKeys: string[]) =>
      ask(
        { ...facts, policies },
        "opsworks:DescribeStacks",
        STACK,
        new Context([
          ["IAM:PassedToService", "ec2.amazonaws.com"],
          ["aws:username", "jane"],
          ["aws:TagKeys", tagKeys],
        ]),
      ).rule;
    expect(decideIn(["site", "team"])).toBe("policy-allow");
    expect(decideIn(["site"])).toBe("pass-role");
    expect(decideIn([])).toBe("pass-role");
  });

  test.each([
    ["another role", { policies: [policy("App", allow("opsworks:*"), allow("iam:PassRole", `${ROLE}-2`))] }],
    ["a Deny", { policies: [policy("App", allow("*"), deny("iam:PassRole"))] }],
    ["a boundary", { policies: [policy("App", allow("*"))], boundary: policy("B", allow("opsworks:*")) }],
    [
      "a session policy",
      { policies: [policy("App", allow("*"))], sessionPolicy: policy("S", allow("opsworks:*")) },
    ],
  ])("is not allowed PassRole: %s", (_why, rest) => {
    expect(ask({ ...facts, ...rest }, "opsworks:DescribeStacks").rule).toBe("pass-role");
  });

  test("is not given PassRole by self-management or by a level", () => {
    const policies = [policy("App", allow("opsworks:*"))];
    const all = { ...facts, policies, selfManagement: true, ...grant("manage", true) };
    expect(ask(all, "opsworks:DescribeStacks").rule).toBe("pass-role");
  });

  test("needs PassRole for what its level or self-management allows, too: any attempt fails without it", () => {
    expect(ask({ ...facts, ...grant("show") }, "opsworks:DescribeStacks").rule).toBe("pass-role");
    expect(ask({ ...facts, selfManagement: true }, "opsworks:DescribeMyUserProfile").rule).toBe("pass-role");
    const policies = [policy("App", allow("iam:PassRole", ROLE))];
    expect(ask({ ...facts, policies, ...grant("show") }, "opsworks:DescribeStacks").rule).toBe("level-allow");
  });

  test("is not helped by the tags of the stack, which are not the role's", () => {
    const tagged = { StringEquals: { "aws:ResourceTag/env": "dev" } };
    const policies = [policy("App", allow("opsworks:*"), allow("iam:PassRole", "*", tagged))];
    const context = new Context([["aws:ResourceTag/env", "dev"]]);
    expect(ask({ ...facts, policies }, "opsworks:DescribeStacks", STACK, context).rule).toBe("pass-role");
    expect(context.absent).toEqual(["aws:resourcetag/env"]);
  });

  test("a person needs no PassRole", () => {
    expect(ask({ policies: [policy("P", allow("opsworks:*"))] }, "opsworks:DescribeStacks").rule).toBe(
      "policy-allow",
    );
  });
});

describe("an explanation", () => {
  test.each([
    ["opsworks:DescribeLayers", "show"],
    ["opsworks:CreateDeployment", "deploy"],
    ["opsworks:CreateLayer", "manage"],
    ["opsworks:CloneStack", "policy"],
    ["opsworks:DescribeMyUserProfile", "policy"],
    ["s3:GetObject", "policy"],
  ])("says the least that would grant %s: %s", (action, wouldGrant) => {
    expect(ask({ ...grant("iam_only") }, action)).toEqual({
      decision: "implicitDeny",
      rule: "default-deny",
      level: "iam_only",
      wouldGrant,
    });
  });

  test("says that only a policy grants what is on no stack", () => {
    expect(ask({}, "opsworks:DescribeLayers", "*")).toMatchObject({ wouldGrant: "policy" });
  });

  test("names policy, Sid and place of the statement that decided", () => {
    const policies = [
      policy("First", allow("s3:*")),
      policy("Second", allow("s3:*"), { Sid: "NoLayers", ...deny("opsworks:*Layer") }),
    ];
    expect(ask({ policies, ...grant("manage") }, "opsworks:CreateLayer")).toEqual({
      decision: "explicitDeny",
      rule: "policy-deny",
      level: "manage",
      statement: { policy: "Second", effect: "Deny", sid: "NoLayers", index: 1 },
    });
  });

  test("can name the keys that a policy asked for and the request lacks", () => {
    const context = new Context([["aws:SourceIp", "203.0.113.9"]]);
    const conditions = {
      IpAddress: { "aws:SourceIp": "203.0.113.0/24" },
      Bool: { "aws:MultiFactorAuthPresent": "true" },
    };
    ask({ policies: [policy("Mfa", allow("*", "*", conditions))] }, "s3:GetObject", STACK, context);
    expect(context.absent).toEqual(["aws:multifactorauthpresent"]);
  });

  test("says nothing of the level on another stack", () => {
    const elsewhere = { level: "deny" as const, stackArn: STACK.replace("2f18", "3f18") };
    expect(ask({ grant: elsewhere }, "opsworks:DescribeLayers")).toMatchObject({ level: undefined });
  });
});

describe("an unreadable policy", () => {
  const unreadable = ["Broken"];

  test("denies what every other policy and level would allow, but for the root", () => {
    const facts = { unreadable, policies: [policy("Full", allow("*"))], ...grant("manage") };
    expect(ask(facts, "opsworks:DescribeLayers")).toMatchObject({
      decision: "explicitDeny",
      rule: "policy-unreadable",
    });
    expect(ask({ ...facts, accountOwner: true }, "opsworks:DescribeLayers").decision).toBe("allowed");
    expect(ask({ unreadable, selfManagement: true }, "opsworks:DescribeMyUserProfile", "*").rule).toBe(
      "policy-unreadable",
    );
  });

  test("comes after a Deny that could be read", () => {
    expect(ask({ unreadable, policies: [policy("No", deny("*"))] }, "s3:GetObject").rule).toBe("policy-deny");
    expect(ask({ unreadable, ...grant("deny") }, "s3:GetObject").rule).toBe("level-deny");
  });
});

describe("a value that a negated condition cannot read", () => {
  const condition = { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } };
  const context = new Context([["aws:SourceIp", "somewhere"]]);

  test.each([
    ["a policy", { policies: [policy("P", allow("s3:GetObject", "*", condition))] }],
    ["a boundary", { boundary: policy("B", allow("s3:GetObject", "*", condition)) }],
    ["a session policy", { sessionPolicy: policy("S", allow("s3:GetObject", "*", condition)) }],
    [
      "a policy of a denied user",
      { ...grant("deny"), policies: [policy("P", allow("s3:GetObject", "*", condition))] },
    ],
  ])(
    "is an error, never a decision, even where the statement is not about the request: in %s",
    (_where, facts) => {
      expect(() => ask(facts, "opsworks:DescribeLayers", STACK, context)).toThrow(InvalidRequest);
    },
  );
});
