import { type Action, actionOf } from "../iam/action.ts";
import type { Level } from "../model/level.ts";
import actions from "./actions.json" with { type: "json" };

/**
 * What it takes to perform an action on a stack: a level, or `policy` (no level ever includes it), or `self` (one's own
 * profile: a policy, or self-management).
 *
 * Source: OpsWorks User Guide, "AWS OpsWorks Stacks Permissions Levels" and the API Reference; where they differ, the API
 * Reference, except that `DescribeStackProvisioningParameters` (it hands out installer secrets) takes `manage`.
 */
export type Requirement = (typeof REQUIREMENTS)[number];

const REQUIREMENTS = ["show", "deploy", "manage", "policy", "self"] as const;
/** No level reaches the last two. */
const RANK: Readonly<Record<Level | Requirement, number>> = {
  deny: 0,
  iam_only: 1,
  show: 2,
  deploy: 3,
  manage: 4,
  policy: 5,
  self: 5,
};

const NAMES = new Set(Object.keys(actions).map((name) => name.toLowerCase()));
const BY_NUMBER: Requirement[] = [];
for (const [name, text] of Object.entries(actions)) {
  const { number } = actionOf(name);
  // Stryker disable next-line ConditionalExpression: for the types; there are fewer than are numbered
  if (number !== undefined) BY_NUMBER[number] = readRequirement(text);
}

/** What the catalogue does not know takes a policy. */
export function requirementOf({ number }: Action): Requirement {
  // Stryker disable next-line ConditionalExpression: for the types; no list has a place `undefined`
  return (number === undefined ? undefined : BY_NUMBER[number]) ?? "policy";
}

/** The names of all actions in the catalogue, as AWS spells them. */
export function actionNames(): readonly string[] {
  return Object.keys(actions);
}

/** What is asked of the account and not of a stack: no level makes a difference to it, not even Deny. */
const OF_ACCOUNT: ReadonlySet<string> = new Set([
  "opsworks:CreateStack",
  "opsworks:CreateUserProfile",
  "opsworks:DeleteUserProfile",
  "opsworks:DescribeMyUserProfile",
  "opsworks:DescribeUserProfiles",
  "opsworks:UpdateMyUserProfile",
  "opsworks:UpdateUserProfile",
  "stackwarden:DescribeImport",
  "stackwarden:DescribeOrphans",
  "stackwarden:ImportUsers",
]);

/** The names of the actions that are asked of a stack. */
export function actionsOnStack(): readonly string[] {
  return actionNames().filter((name) => !OF_ACCOUNT.has(name));
}

/** Whether OpsWorks had such an action. */
export function isOpsWorksAction(name: string): boolean {
  return NAMES.has(`opsworks:${name}`.toLowerCase());
}

/** Whether a level includes what takes this much. Each level includes the one below. */
export function levelMeets(level: Level, requirement: Requirement): boolean {
  return RANK[level] >= RANK[requirement];
}

function readRequirement(text: string): Requirement {
  const requirement = REQUIREMENTS.find((known) => known === text);
  if (!requirement) throw new Error(`actions.json: \`${text}\` is no requirement`);
  return requirement;
}

/** A temporary RDP login is instance access: no level and no policy gives it to a user without SSH/RDP on the stack. */
export function needsSsh(action: string): boolean {
  return action === "opsworks:grantaccess";
}
