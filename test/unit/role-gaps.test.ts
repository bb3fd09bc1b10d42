import { describe, expect, test } from "vitest";
import * as z from "zod";
import { gapsOfInstanceProfile, gapsOfServiceRole, NEEDS } from "../../shared/account/role-gaps.ts";
import type { RoleGap } from "../../shared/model/role-gap.ts";
import type { RoleFacts } from "../../shared/account/role-facts.ts";
import { validatePolicy } from "../../shared/iam/validate.ts";
import documented from "./data/documented-roles.json" with { type: "json" };

const Documented = z.array(
  z.strictObject({
    title: z.string(),
    source: z.string(),
    need: z.enum(["service role", "instance profile"]),
    trust: z.unknown().optional(),
    policy: z.unknown().optional(),
    says: z.array(z.string()),
  }),
);
type Example = z.infer<typeof Documented>[number];

const ROLE = "arn:aws:iam::123456789012:role/aws-opsworks";
const PROFILE = "arn:aws:iam::123456789012:instance-profile/aws-opsworks";
const STACK = {
  place: { partition: "aws", region: "us-east-2", accountId: "123456789012" },
  stackId: "6f0b2c1e-3a54-4a8e-9a3c-0d2f7f1c0001",
};

function trust(Service: string, rest: object = {}) {
  const statement = { Effect: "Allow", Principal: { Service }, Action: "sts:AssumeRole", ...rest };
  return { Version: "2012-10-17", Statement: [statement] };
}

function role(given: { trust?: unknown; policies?: unknown[] }): RoleFacts {
  const policies = given.policies ?? [
    { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }] },
  ];
  return {
    Arn: ROLE,
    Trust: { Name: "trust policy", Text: JSON.stringify(given.trust) },
    Policies: policies.map((document, index) => ({
      Name: `policy-${index}`,
      Text: JSON.stringify(document),
    })),
  };
}

function gapsOf(need: keyof typeof NEEDS, facts: RoleFacts): RoleGap[] {
  return need === "service role"
    ? gapsOfServiceRole(ROLE, facts, STACK)
    : gapsOfInstanceProfile(PROFILE, { Arn: PROFILE, Role: facts }, STACK);
}

function gapsOfExample({ need, ...example }: Example): RoleGap[] {
  const facts =
    "policy" in example
      ? role({ trust: trust(NEEDS[need][0]), policies: [example.policy] })
      : role({ trust: example.trust, policies: [] });
  const gaps = gapsOf(need, facts);
  // One gap of a trust policy is enough to see; what else the role lacks would only repeat itself.
  return gaps.some(({ severity }) => severity === "error")
    ? gaps.filter(({ code }) => code !== "no-policy")
    : gaps;
}

describe("what is documented of roles", () => {
  const examples = Documented.parse(documented);

  test.each(examples)("$title", (example) => {
    expect(gapsOfExample(example).map(({ severity, code }) => `${severity} ${code}`)).toEqual(example.says);
  });

  test("and what is said of it stands in docs/documented-roles.md", async () => {
    const rows = examples.map((example) => {
      const said = gapsOfExample(example).map(
        ({ severity, code, path, message }) =>
          `${severity} \`${code}\`: ${path ? `\`${path}\` ` : ""}${message}`,
      );
      return `| ${example.title} | ${example.source} | ${said.join("<br>") || "nothing: it does what it looks like"} |`;
    });
    const text = [
      "# What is said of the documented roles",
      "",
      "The trust relationships and policies of OpsWorks' guide, each looked at as CheckStackRoles does. Made by `test/unit/role-gaps.test.ts` from",
      "`test/unit/data/documented-roles.json` (`npx vitest run test/unit/role-gaps.test.ts -u`).",
      "",
      "| document | page of the guide | what is said |",
      "|---|---|---|",
      ...rows,
      "",
    ].join("\n");
    await expect(text).toMatchFileSnapshot("../../docs/documented-roles.md");
  });
});

describe("a trust policy", () => {
  const conditions = (Condition: object) => trust("opsworks.amazonaws.com", { Condition });

  test.each([
    ["of another service", trust("ec2.amazonaws.com"), "error not-trusted"],
    [
      "with a Deny beside the Allow",
      {
        Version: "2012-10-17",
        Statement: [
          ...trust("opsworks.amazonaws.com").Statement,
          ...trust("opsworks.amazonaws.com", { Effect: "Deny" }).Statement,
        ],
      },
      "error not-trusted",
    ],
    [
      "for another account",
      conditions({ StringEquals: { "aws:SourceAccount": "210987654321" } }),
      "error not-trusted",
    ],
    [
      "for this stack, without the last slash",
      conditions({
        ArnEquals: { "aws:SourceArn": `arn:aws:opsworks:us-east-2:123456789012:stack/${STACK.stackId}` },
      }),
      "",
    ],
    [
      "for this stack, with the last slash",
      conditions({
        ArnEquals: { "aws:SourceArn": `arn:aws:opsworks:us-east-2:123456789012:stack/${STACK.stackId}/` },
      }),
      "",
    ],
    [
      "under a condition that nobody can foresee",
      conditions({ Bool: { "aws:SecureTransport": "true" } }),
      "warning trust-depends",
    ],
    [
      "with NotPrincipal",
      {
        Version: "2012-10-17",
        Statement: [
          { Effect: "Allow", NotPrincipal: { Service: "ec2.amazonaws.com" }, Action: "sts:AssumeRole" },
        ],
      },
      "",
    ],
    ["of another action", trust("opsworks.amazonaws.com", { Action: "sts:TagSession" }), "error not-trusted"],
    ["that is none", { Statement: [] }, "error unreadable"],
  ] as const)("%s", (_name, document, says) => {
    const gaps = gapsOf("service role", role({ trust: document }));
    expect(gaps.map(({ severity, code }) => `${severity} ${code}`).join()).toBe(says);
  });

  test("is mended by one that stands alone", () => {
    const [gap] = gapsOf("instance profile", role({ trust: trust("opsworks.amazonaws.com") }));
    expect(gap?.mend).toEqual(trust("ec2.amazonaws.com"));
    expect(gapsOf("instance profile", role({ trust: gap?.mend }))).toEqual([]);
  });
});

describe("what is not there", () => {
  test.each([
    ["a service role", gapsOfServiceRole(ROLE, undefined, STACK), "no-such-role"],
    ["an instance profile", gapsOfInstanceProfile(PROFILE, undefined, STACK), "no-such-instance-profile"],
    [
      "the role of a profile",
      gapsOfInstanceProfile(PROFILE, { Arn: PROFILE }, STACK),
      "profile-without-role",
    ],
  ])("%s", (_name, gaps, code) => {
    expect(gaps).toMatchObject([{ severity: "error", code }]);
  });
});

describe("all gaps come at once, and what mends them is accepted and has none of them", () => {
  const facts = role({
    trust: trust("ec2.amazonaws.com"),
    policies: [
      {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "Dead",
            Effect: "Allow",
            Action: ["ec2:*", "iam:PassRole"],
            Resource: "*",
            Condition: {
              StringEquals: {
                "iam:PassedToService": "ec2.amazonaws.com",
                "aws:RequestedRegion": "us-east-2",
              },
            },
          },
          {
            Effect: "Allow",
            Action: "iam:PassRole",
            Resource: "arn:aws:opsworks:us-east-2:123456789012:stack/*/",
          },
          { Effect: "Allow", Action: "iam:GetRole", Resource: "arn:aws:iam:us-east-2:123456789012:role/x" },
        ],
      },
    ],
  });
  const gaps = gapsOf("service role", facts);

  test("by severity, place and code", () => {
    expect(gaps.map(({ severity, code, policy, path }) => [severity, code, policy, path])).toEqual([
      ["error", "not-trusted", "trust policy", undefined],
      ["warning", "region-in-iam-arn", "policy-0", "$.Statement[2].Resource"],
      [
        "warning",
        "passed-to-service",
        "policy-0",
        '$.Statement[0].Condition.StringEquals["iam:PassedToService"]',
      ],
      ["warning", "pass-role-on-no-role", "policy-0", "$.Statement[1].Resource"],
    ]);
  });

  test.each(gaps.slice(1).map((gap) => [gap.code, gap.mend] as const))("%s", (code, mend) => {
    const text = JSON.stringify({ Version: "2012-10-17", Statement: mend });
    expect(validatePolicy(text, "identity").map((finding) => finding.code)).not.toContain(code);
    expect(validatePolicy(text, "identity").filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("a condition stays where its key comes, and the others everywhere", () => {
    expect(gaps.find(({ code }) => code === "passed-to-service")?.mend).toEqual([
      {
        Sid: "Dead",
        Effect: "Allow",
        Action: ["ec2:*"],
        Resource: ["*"],
        Condition: { StringEquals: { "aws:RequestedRegion": "us-east-2" } },
      },
      {
        Effect: "Allow",
        Action: ["iam:PassRole"],
        Resource: ["*"],
        Condition: {
          StringEquals: { "iam:PassedToService": "ec2.amazonaws.com", "aws:RequestedRegion": "us-east-2" },
        },
      },
    ]);
  });

  test.each([
    ["a wildcard that covers PassRole", { Effect: "Allow", Action: ["ec2:*", "iam:Pass*"], Resource: "*" }],
    ["a Deny", { Effect: "Deny", Action: ["ec2:*", "iam:PassRole"], Resource: "*" }],
    [
      "what is excepted",
      { Effect: "Allow", Action: ["ec2:*", "iam:PassRole"], NotResource: "arn:aws:iam::*:role/x" },
    ],
  ])("nobody but its author can mend %s", (_name, statement) => {
    const Condition = { StringEquals: { "iam:PassedToService": "ec2.amazonaws.com" } };
    const policies = [{ Version: "2012-10-17", Statement: [{ ...statement, Condition }] }];
    const found = gapsOf("service role", role({ trust: trust("opsworks.amazonaws.com"), policies }));
    expect(found.map(({ code, mend }) => [code, mend])).toEqual([["passed-to-service", undefined]]);
  });

  test("PassRole on no role is split from the actions that are meant", () => {
    const statement = {
      Effect: "Allow",
      Action: ["ec2:*", "iam:PassRole"],
      Resource: "arn:aws:ec2:*:*:instance/*",
    };
    const policies = [{ Version: "2012-10-17", Statement: [statement] }];
    const [gap] = gapsOf("service role", role({ trust: trust("opsworks.amazonaws.com"), policies }));
    expect(gap).toMatchObject({
      code: "pass-role-on-no-role",
      mend: [
        { Action: ["ec2:*"], Resource: ["arn:aws:ec2:*:*:instance/*"] },
        { Action: ["iam:PassRole"], Resource: "arn:aws:iam::123456789012:role/<name>" },
      ],
    });
  });

  test("a policy that cannot be read is said to be so", () => {
    const unread = { ...facts, Policies: [{ Name: "lost", Unreadable: "its document is not in IAM" }] };
    expect(gapsOf("service role", unread)).toContainEqual({
      severity: "warning",
      code: "unreadable",
      Arn: ROLE,
      policy: "lost",
      message: "its document is not in IAM",
    });
  });
});

describe("in China", () => {
  const stack = { ...STACK, place: { ...STACK.place, partition: "aws-cn", region: "cn-north-1" } };
  const gapsOfProfile = (facts: RoleFacts) =>
    gapsOfInstanceProfile(PROFILE, { Arn: PROFILE, Role: facts }, stack);

  test("EC2 has a name of its own, which is the one that is said", () => {
    expect(gapsOfProfile(role({ trust: trust("ec2.amazonaws.com.cn") }))).toEqual([]);
    expect(gapsOfProfile(role({ trust: trust("lambda.amazonaws.com") }))).toMatchObject([
      { code: "not-trusted", mend: trust("ec2.amazonaws.com.cn") },
    ]);
  });

  test("what would mend a role names what is there", () => {
    const bare = role({ trust: trust("ec2.amazonaws.com.cn"), policies: [] });
    expect(JSON.stringify(gapsOfProfile(bare))).toContain("arn:aws-cn:s3:::<bucket>/*");
    const service = role({ trust: trust("opsworks.amazonaws.com"), policies: [] });
    expect(JSON.stringify(gapsOfServiceRole(ROLE, service, stack))).toContain(
      '"iam:PassedToService":"ec2.amazonaws.com.cn"',
    );
  });
});
