import { checkContext, findStatement, type NamedPolicy, type StatementRef } from "../iam/evaluate.ts";
import type { Request } from "../iam/request.ts";
import type { Level } from "../model/level.ts";
import { levelAllows, needsSsh, requirementOf } from "./levels.ts";

/** The rule that decided, in the order in which they apply. */
type Rule =
  | "account-owner"
  | "level-deny"
  | "policy-deny"
  | "policy-unreadable"
  | "boundary"
  | "session-policy"
  | "policy-allow"
  | "pass-role"
  | "level-allow"
  | "self-management"
  | "default-deny";

/** What is known about who asks, besides the request. */
export type Facts = {
  /** The account root: beyond levels and policies. */
  readonly accountOwner: boolean;
  /** What the user holds on the one stack the request may be about. */
  readonly grant?: { readonly stackArn: string; readonly level: Level };
  /** Whether the user has SSH/RDP on that stack; left out where it is not known. */
  readonly allowSsh?: boolean;
  /** Of user and groups together. */
  readonly policies: readonly NamedPolicy[];
  readonly boundary?: NamedPolicy;
  readonly sessionPolicy?: NamedPolicy;
  /** Names of policies, boundary or session policy that could not be read. */
  readonly unreadable: readonly string[];
  readonly selfManagement: boolean;
  /** An application on an instance: the ARN of the stack's service role, which it must be able to pass. */
  readonly mustPassRole?: string;
};

export type Decision = {
  readonly decision: "allowed" | "explicitDeny" | "implicitDeny";
  readonly rule: Rule;
  /** The user's level, if the request is about the stack it is on. */
  readonly level?: Level;
  readonly statement?: StatementRef;
  /** Of `default-deny`: the least that would allow it. */
  readonly wouldGrant?: "show" | "deploy" | "manage" | "policy" | "AllowSsh";
};

/**
 * Level and policies together: a Deny in either wins, otherwise either may allow. Pure and total; anything unforeseen
 * falls through to the last line.
 *
 * Source: OpsWorks User Guide, "Granting AWS OpsWorks Stacks Users Per-Stack Permissions"; IAM User Guide, "Policy
 * evaluation logic".
 * @throws InvalidRequest for a context value that a policy cannot compare: an error, never a decision
 */
export function decide(facts: Facts, request: Request): Decision {
  const { policies, boundary, sessionPolicy } = facts;
  const caps = [boundary, sessionPolicy].filter((cap) => cap !== undefined);
  checkContext([...policies, ...caps], request.context);
  const grant = facts.grant?.stackArn === request.resource ? facts.grant : undefined;
  const level = grant && { level: grant.level };

  if (facts.accountOwner) return { decision: "allowed", rule: "account-owner", ...level };
  if (grant?.level === "deny") return { decision: "explicitDeny", rule: "level-deny", ...level };

  const deny = findStatement([...policies, ...caps], "Deny", request);
  if (deny) return { decision: "explicitDeny", rule: "policy-deny", ...level, statement: deny };
  if (facts.unreadable.length > 0) return { decision: "explicitDeny", rule: "policy-unreadable", ...level };

  if (boundary && !findStatement([boundary], "Allow", request)) {
    return { decision: "implicitDeny", rule: "boundary", ...level };
  }
  if (sessionPolicy && !findStatement([sessionPolicy], "Allow", request)) {
    return { decision: "implicitDeny", rule: "session-policy", ...level };
  }
  if (needsSsh(request.action) && facts.allowSsh === false) {
    return { decision: "implicitDeny", rule: "default-deny", ...level, wouldGrant: "AllowSsh" };
  }

  const grantedBy = whatAllows(facts, request, grant?.level);
  if (grantedBy) {
    if (mayPassRole(facts, request)) return { decision: "allowed", ...grantedBy, ...level };
    return { decision: "implicitDeny", ...grantedBy, ...level, rule: "pass-role" };
  }
  const requirement = requirementOf(request.action);
  const wouldGrant = requirement === "self" || !grant ? "policy" : requirement;
  return { decision: "implicitDeny", rule: "default-deny", ...level, wouldGrant };
}

/** A policy, else the level, else self-management. */
function whatAllows(
  { policies, selfManagement }: Facts,
  request: Request,
  level: Level | undefined,
): Pick<Decision, "rule" | "statement"> | undefined {
  const statement = findStatement(policies, "Allow", request);
  if (statement) return { rule: "policy-allow", statement };
  if (level && levelAllows(level, request.action)) return { rule: "level-allow" };
  return requirementOf(request.action) === "self" && selfManagement ? { rule: "self-management" } : undefined;
}

/**
 * Whatever allows it, an application on an instance must be able to pass the stack's service role.
 *
 * Source: OpsWorks User Guide, "Specifying Permissions for Apps Running on EC2 instances".
 */
function mayPassRole(facts: Facts, request: Request): boolean {
  if (facts.mustPassRole === undefined) return true;
  const { grant: _grant, mustPassRole, ...policies } = facts;
  const passRole = {
    action: "iam:passrole",
    resource: mustPassRole,
    context: request.context.ofPassRole("opsworks.amazonaws.com"),
  };
  return decide({ ...policies, selfManagement: false }, passRole).decision === "allowed";
}
