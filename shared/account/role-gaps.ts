import { Context } from "../iam/context.ts";
import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { readJson } from "../iam/json.ts";
import { MAX_POLICY_LENGTH } from "../iam/policy.ts";
import { EC2_SERVICES, ec2ServiceIn, mayAssume } from "../iam/trust.ts";
import { type PolicyFinding, validatePolicy } from "../iam/validate.ts";
import type { RoleGap } from "../model/role-gap.ts";
import { type Place, stackArn } from "../model/stack-arn.ts";
import { mendStatement } from "./mend-statement.ts";
import type { InstanceProfileFacts, RoleFacts } from "./role-facts.ts";

/** The findings of a policy that make it do something else than it looks like. */
const LOOKS_LIKE = ["passed-to-service", "pass-role-on-no-role", "region-in-iam-arn"] as const;

/** For what a role is needed, and who must be able to assume it. */
export const NEEDS = {
  "service role": ["opsworks.amazonaws.com"],
  "instance profile": EC2_SERVICES,
} as const;
type Need = keyof typeof NEEDS;

/** For which stack a role is looked at; a service names it when it assumes the role. */
export type For = { readonly place: Place; readonly stackId: string };

/**
 * All gaps of a stack's service role.
 * Source: OpsWorks User Guide, "Allowing AWS OpsWorks Stacks to Act on Your Behalf".
 */
export function gapsOfServiceRole(arn: string, role: RoleFacts | undefined, stack: For): RoleGap[] {
  return role?.Arn === arn ? gapsOf("service role", role, stack) : [notThere("role", arn, role?.Arn)];
}

/**
 * All gaps of an instance profile and of the role that it holds.
 * Source: OpsWorks User Guide, "Specifying Permissions for Apps Running on EC2 instances".
 */
export function gapsOfInstanceProfile(
  arn: string,
  profile: InstanceProfileFacts | undefined,
  stack: For,
): RoleGap[] {
  if (profile?.Arn !== arn) return [notThere("instance profile", arn, profile?.Arn)];
  if (!profile.Role) {
    const message = "holds no role, so nothing on an instance gets credentials: add a role to it";
    return [{ severity: "error", code: "profile-without-role", Arn: arn, message }];
  }
  return gapsOf("instance profile", profile.Role, stack);
}

/** @param other what IAM has under that name in another path: a name is unique in an account, whatever its path */
function notThere(what: "role" | "instance profile", Arn: string, other: string | undefined): RoleGap {
  const code = what === "role" ? "no-such-role" : "no-such-instance-profile";
  const remedy = other === undefined ? ": make it, as infra/roles.yml does" : `, but ${other}: name that one`;
  return { severity: "error", code, Arn, message: `IAM has no such ${what}${remedy}` };
}

function gapsOf(need: Need, role: RoleFacts, stack: For): RoleGap[] {
  return [...gapsOfTrust(need, role, stack), ...gapsOfPolicies(need, role, stack)];
}

function gapsOfTrust(need: Need, { Arn, Trust }: RoleFacts, { place, stackId }: For): RoleGap[] {
  const service = need === "instance profile" ? ec2ServiceIn(place.partition) : NEEDS[need][0];
  const gap = { Arn, policy: "trust policy", mend: trustOf(service) };
  if ("Unreadable" in Trust)
    return [{ ...gap, severity: "error", code: "unreadable", message: Trust.Unreadable }];
  try {
    const value = readJson(Trust.Text, MAX_POLICY_LENGTH);
    // OpsWorks' own examples name a stack without the slash that ends its ARN.
    const arn = stackArn(place, stackId);
    const contexts = [arn, arn.slice(0, -1)].map((text) => contextOf(need, place, text));
    const answers = contexts.map((context) => mayAssume(value, NEEDS[need], context));
    const denied = new Set(answers.map(({ Deny }) => Deny));
    const allowed = new Set(answers.map(({ Allow }) => Allow));
    if (denied.has("yes")) {
      const message = `denies ${service} \`sts:AssumeRole\`, so it is no ${need}`;
      return [{ ...gap, severity: "error", code: "not-trusted", message }];
    }
    if (!allowed.has("yes") && !allowed.has("depends")) {
      const message = `does not let ${service} assume the role, so it is no ${need}${lostName(Trust.Text, service)}`;
      return [{ ...gap, severity: "error", code: "not-trusted", message }];
    }
    if (allowed.has("yes") && !denied.has("depends")) return [];
    const keys = [...new Set(contexts.flatMap(({ absent }) => absent))].map((key) => `\`${key}\``).join(", ");
    const message = `lets ${service} assume the role or not by conditions on ${keys}, which cannot be foreseen here`;
    return [{ ...gap, severity: "warning", code: "trust-depends", message }];
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    return [{ ...gap, severity: "error", code: "unreadable", path: error.path, message: error.fault }];
  }
}

/** Printed guides lost the name of the service. */
function lostName(trust: string, service: string): string {
  return /"Service"\s*:\s*(?:\[\s*)?""/.test(trust) ? `: write \`${service}\` where it has \`""\`` : "";
}

/** What a service says of itself as it assumes a role; of an instance, only its account is known beforehand. */
function contextOf(need: Need, { accountId }: Place, sourceArn: string): Context {
  return new Context(
    need === "service role"
      ? [
          ["aws:SourceAccount", accountId],
          ["aws:SourceArn", sourceArn],
        ]
      : [["aws:SourceAccount", accountId]],
  );
}

function trustOf(service: string) {
  return {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }],
  };
}

function gapsOfPolicies(need: Need, { Arn, Policies }: RoleFacts, { place }: For): RoleGap[] {
  if (Policies.length === 0) {
    const message = "has no policy, so it grants nothing until one is attached";
    return [{ severity: "warning", code: "no-policy", Arn, message, mend: EXAMPLES[need](place) }];
  }
  return Policies.flatMap((given): RoleGap[] => {
    const { Name: policy } = given;
    if ("Unreadable" in given)
      return [{ severity: "warning", code: "unreadable", Arn, policy, message: given.Unreadable }];
    const { Text: text } = given;
    return validatePolicy(text, "identity", { isAccepted: true }).flatMap((finding): RoleGap[] => {
      const code = codeOf(finding);
      if (!code) return [];
      const mend = mendStatement(text, finding, place);
      const { path, message } = finding;
      return [
        { severity: "warning", code, Arn, policy, path, message, ...(mend === undefined ? {} : { mend }) },
      ];
    });
  });
}

function codeOf({ severity, code }: PolicyFinding): RoleGap["code"] | undefined {
  const known = LOOKS_LIKE.find((name) => name === code);
  return known ?? (severity === "error" ? "unreadable" : undefined);
}

/** A policy to begin with. */
const EXAMPLES: Readonly<Record<Need, (place: Place) => unknown>> = {
  "service role": ({ partition }) => ({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: [
          "cloudwatch:DescribeAlarms",
          "cloudwatch:GetMetricStatistics",
          "ec2:*",
          "ecs:*",
          "elasticloadbalancing:*",
          "rds:*",
        ],
        Resource: "*",
      },
      {
        Effect: "Allow",
        Action: "iam:PassRole",
        Resource: "*",
        Condition: { StringEquals: { "iam:PassedToService": ec2ServiceIn(partition) } },
      },
    ],
  }),
  "instance profile": ({ partition }) => ({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: ["s3:GetObject"], Resource: `arn:${partition}:s3:::<bucket>/*` }],
  }),
};
