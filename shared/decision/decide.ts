import { actionOf } from "../iam/action.ts";
import { splitArn } from "../iam/arn.ts";
import {
  checkContext,
  findStatement,
  findStatementOf,
  type NamedPolicy,
  type StatementRef,
} from "../iam/evaluate.ts";
import type { Request } from "../iam/request.ts";
import type { Level } from "../model/level.ts";
import { levelMeets, needsSsh, type Requirement, requirementOf } from "./levels.ts";

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
  readonly level: Level | undefined;
  readonly statement: StatementRef | undefined;
  /** Of `default-deny`: the least that would allow it. */
  readonly wouldGrant: Remedy | undefined;
};
type Remedy = "show" | "deploy" | "manage" | "policy" | "AllowSsh";

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
  for (const policy of policies) checkContext(policy, request.context);
  if (boundary) checkContext(boundary, request.context);
  if (sessionPolicy) checkContext(sessionPolicy, request.context);
  const level = facts.grant?.stackArn === request.resource.text ? facts.grant.level : undefined;

  if (facts.accountOwner) return decided("allowed", "account-owner", level);
  if (level === "deny") return decided("explicitDeny", "level-deny", level);

  const deny =
    findStatement(policies, "Deny", request) ??
    (boundary && findStatementOf(boundary, "Deny", request)) ??
    (sessionPolicy && findStatementOf(sessionPolicy, "Deny", request));
  if (deny) return decided("explicitDeny", "policy-deny", level, deny);
  if (facts.unreadable.length > 0) return decided("explicitDeny", "policy-unreadable", level);

  // Stryker disable next-line StringLiteral: whatever is not Deny asks for Allow
  if (boundary && !findStatementOf(boundary, "Allow", request))
    return decided("implicitDeny", "boundary", level);
  // Stryker disable next-line StringLiteral: as above
  if (sessionPolicy && !findStatementOf(sessionPolicy, "Allow", request))
    return decided("implicitDeny", "session-policy", level);
  if (needsSsh(request.action.name) && facts.allowSsh === false) {
    return decided("implicitDeny", "default-deny", level, undefined, "AllowSsh");
  }

  const allow = findStatement(policies, "Allow", request);
  const requirement = requirementOf(request.action);
  const rule = allow ? "policy-allow" : whatElseAllows(facts, requirement, level);
  if (rule) {
    if (mayPassRole(facts, request)) return decided("allowed", rule, level, allow);
    return decided("implicitDeny", "pass-role", level, allow);
  }
  const wouldGrant = requirement === "self" || level === undefined ? "policy" : requirement;
  return decided("implicitDeny", "default-deny", level, undefined, wouldGrant);
}

function decided(
  decision: Decision["decision"],
  rule: Rule,
  level: Level | undefined,
  statement?: StatementRef,
  wouldGrant?: Remedy,
): Decision {
  return { decision, rule, level, statement, wouldGrant };
}

/** The level, else self-management. */
function whatElseAllows(
  { selfManagement }: Facts,
  requirement: Requirement,
  level: Level | undefined,
): Rule | undefined {
  // Stryker disable next-line ConditionalExpression: for the types; no level meets nothing
  if (level !== undefined && levelMeets(level, requirement)) return "level-allow";
  return selfManagement && requirement === "self" ? "self-management" : undefined;
}

const PASS_ROLE = actionOf("iam:PassRole");

/**
 * Whatever allows it, an application on an instance must be able to pass the stack's service role.
 *
 * Source: OpsWorks User Guide, "Specifying Permissions for Apps Running on EC2 instances".
 */
function mayPassRole(facts: Facts, request: Request): boolean {
  if (facts.mustPassRole === undefined) return true;
  const { grant: _grant, mustPassRole, ...policies } = facts;
  const passRole = {
    action: PASS_ROLE,
    resource: splitArn(mustPassRole),
    context: request.context.ofPassRole("opsworks.amazonaws.com"),
  };
  return decide(policies, passRole).decision === "allowed";
}
