/**
 * A second evaluator of the policy language and of the joint decision: slow, plain, nothing shared with the one that
 * ships. It looks at every statement, reads every value anew and keeps nothing.
 */
import { holds, isArn, refuseMalformed } from "./plain-conditions.ts";
import { faultOf, isObject, type Json, listOf, textOf } from "./plain-door.ts";
import { arnCovers, globCovers, type Reading, type Sign, signsOf } from "./plain-text.ts";

export type Context = { [key: string]: string | string[] };

export type Case = {
  policies: unknown[];
  boundary?: unknown;
  sessionPolicy?: unknown;
  level?: "deny" | "iam_only" | "show" | "deploy" | "manage";
  selfManagement?: boolean;
  request: { action: string; resource: string; principalArn?: string; context?: Context };
};

/** What an offline case cannot say, but the service knows. */
export type More = {
  unreadable?: boolean;
  allowSsh?: boolean;
  /** An application on an instance: the stack's service role, which it must be able to pass. */
  mustPassRole?: string;
};

export type Verdict = { decision: "allowed" | "explicitDeny" | "implicitDeny"; rule: string };

/** Throws for what is no case: a document with a fault, or a value that a negated operator cannot judge. */
export function decidePlainly(asked: Case, more: More = {}): Verdict {
  const { policies, boundary, sessionPolicy, level, request } = asked;
  const documents = [...policies];
  if (boundary !== undefined) documents.push(boundary);
  if (sessionPolicy !== undefined) documents.push(sessionPolicy);
  for (const document of documents) {
    const fault = faultOf(document);
    if (fault !== undefined) throw new Error(fault);
  }
  if (!/^[^:*?]+:[^*?]+$/.test(request.action)) throw new Error("action");
  if (request.resource !== "*" && !isArn(request.resource)) throw new Error("resource");
  const values = Object.values(request.context ?? {}).flat();
  if (values.some((value) => /\p{Cs}/u.test(value))) throw new Error("half of a surrogate pair");
  const context = lowered(request.context ?? {});
  for (const document of documents) refuseAtIntake(document, context);
  if (isAccountRoot(request.principalArn, request.resource)) return allowed("account-owner");

  const onStack = isStack(request.resource);
  const says = (document: unknown, effect: string): boolean =>
    statementsOf(document).some(
      (statement) => statement["Effect"] === effect && applies(document, statement, request, context),
    );
  if (level === "deny" && onStack) return { decision: "explicitDeny", rule: "level-deny" };
  if (documents.some((document) => says(document, "Deny"))) {
    return { decision: "explicitDeny", rule: "policy-deny" };
  }
  if (more.unreadable) return { decision: "explicitDeny", rule: "policy-unreadable" };
  if (boundary !== undefined && !says(boundary, "Allow")) return notAllowed("boundary");
  if (sessionPolicy !== undefined && !says(sessionPolicy, "Allow")) return notAllowed("session-policy");
  if (isOneOf(request.action, ["GrantAccess"]) && more.allowSsh === false) return notAllowed("default-deny");
  let rule = "default-deny";
  if (asked.selfManagement && isOneOf(request.action, OWN_PROFILE)) rule = "self-management";
  if (onStack && levelAllows(level ?? "iam_only", request.action)) rule = "level-allow";
  if (policies.some((policy) => says(policy, "Allow"))) rule = "policy-allow";
  if (rule === "default-deny") return notAllowed(rule);
  return mayPassRole(asked, more) ? allowed(rule) : notAllowed("pass-role");
}

/** The tags of the stack are not those of its role. */
function mayPassRole(asked: Case, { mustPassRole, ...more }: More): boolean {
  if (mustPassRole === undefined) return true;
  const { level: _level, selfManagement: _selfManagement, ...policies } = asked;
  const others = Object.entries(asked.request.context ?? {}).filter(
    ([key]) => !/^(iam:PassedToService$|aws:ResourceTag\/)/i.test(key),
  );
  const context = { ...Object.fromEntries(others), "iam:PassedToService": "opsworks.amazonaws.com" };
  const request = { ...asked.request, action: "iam:PassRole", resource: mustPassRole, context };
  return decidePlainly({ ...policies, request }, more).decision === "allowed";
}

function allowed(rule: string): Verdict {
  return { decision: "allowed", rule };
}

function notAllowed(rule: string): Verdict {
  return { decision: "implicitDeny", rule };
}

function isAccountRoot(principalArn: string | undefined, resource: string): boolean {
  const [, account] = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/.exec(principalArn ?? "") ?? [];
  const owner = resource.split(":")[4] ?? "";
  return account !== undefined && (owner === "" || owner === account);
}

function isStack(resource: string): boolean {
  return /^arn:aws[a-z-]*:opsworks:[a-z0-9-]+:[0-9]{12}:stack\/[^/:*?]+\/?$/.test(resource);
}

function lowered(context: Context): Map<string, string | string[]> {
  const entries = Object.entries(context).map(([key, value]) => [key.toLowerCase(), value] as const);
  const keys = new Map(entries);
  if (keys.size !== entries.length) throw new Error("one key given twice");
  return keys;
}

export function statementsOf(document: unknown): Json[] {
  return isObject(document) ? listOf(document["Statement"]).filter(isObject) : [];
}

function conditionsOf(statement: Json): { operator: string; key: string; values: string[] }[] {
  const condition = statement["Condition"];
  if (!isObject(condition)) return [];
  return Object.entries(condition).flatMap(([operator, keys]) =>
    Object.entries(isObject(keys) ? keys : {}).map(([key, values]) => ({
      operator,
      key,
      values: listOf(values).map((value) => textOf(value) ?? ""),
    })),
  );
}

export function readingOf(document: unknown, context: Reading["context"]): Reading {
  const version = isObject(document) ? document["Version"] : undefined;
  return { version: typeof version === "string" ? version : undefined, context };
}

function refuseAtIntake(document: unknown, context: Reading["context"]): void {
  for (const statement of statementsOf(document)) {
    for (const { operator, key } of conditionsOf(statement)) {
      refuseMalformed(operator, key, readingOf(document, context));
    }
  }
}

/** Whether a statement fits the request: its action, its resource and all its conditions at once. */
export function applies(
  document: unknown,
  statement: Json,
  request: Case["request"],
  context: Reading["context"] = lowered(request.context ?? {}),
): boolean {
  const reading = readingOf(document, context);
  return (
    actionFits(statement, request.action) &&
    resourceFits(statement, request.resource, reading) &&
    conditionsOf(statement).every(({ operator, key, values }) => holds(operator, key, values, reading))
  );
}

export function actionFits(statement: Json, action: string): boolean {
  const negated = "NotAction" in statement;
  const covered = listOf(negated ? statement["NotAction"] : statement["Action"]).some((pattern) => {
    const signs = signsOf(String(pattern).toLowerCase(), true, { version: undefined, context: new Map() });
    return signs !== undefined && globCovers(signs, action.toLowerCase());
  });
  return covered !== negated;
}

export function resourceFits(statement: Json, resource: string, reading: Reading): boolean {
  const negated = "NotResource" in statement;
  const entries = listOf(negated ? statement["NotResource"] : statement["Resource"]).map((pattern) =>
    signsOfResource(String(pattern), reading),
  );
  const covered = entries.some((signs) => signs !== undefined && arnCovers(signs, resource));
  if (!negated) return covered;
  if (statement["Effect"] === "Allow" && entries.includes(undefined)) return false;
  return !covered;
}

/** Variables stand only after the fifth colon; an entry with one before it can match nothing. */
function signsOfResource(pattern: string, reading: Reading): Sign[] | undefined {
  const misplaced = pattern.split(":").slice(0, 5).join(":").includes("${");
  return misplaced && reading.version === "2012-10-17" ? undefined : signsOf(pattern, true, reading);
}

function isOneOf(action: string, names: readonly string[]): boolean {
  const [service, name] = action.toLowerCase().split(":");
  return service === "opsworks" && names.some((one) => one.toLowerCase() === name);
}

const OWN_PROFILE = ["DescribeMyUserProfile", "UpdateMyUserProfile"];

export const SHOW =
  `DescribeAgentVersions DescribeApps DescribeCommands DescribeDeployments DescribeEcsClusters
  DescribeElasticIps DescribeElasticLoadBalancers DescribeInstances DescribeLayers DescribeLoadBasedAutoScaling
  DescribeOperatingSystems DescribeRaidArrays DescribeRdsDbInstances DescribeServiceErrors DescribeStackSummary
  DescribeStacks DescribeTimeBasedAutoScaling DescribeVolumes GrantAccess`.split(/\s+/);

export const DEPLOY = ["CreateDeployment", "UpdateApp"];

export const MANAGE =
  `AssignInstance AssignVolume AssociateElasticIp AttachElasticLoadBalancer CreateApp CreateInstance
  CreateLayer DeleteApp DeleteInstance DeleteLayer DeleteStack DeregisterEcsCluster DeregisterElasticIp
  DeregisterInstance DeregisterRdsDbInstance DeregisterVolume DescribePermissions DescribeStackProvisioningParameters
  DetachElasticLoadBalancer DisassociateElasticIp GetHostnameSuggestion RebootInstance RegisterEcsCluster
  RegisterElasticIp RegisterInstance RegisterRdsDbInstance RegisterVolume SetLoadBasedAutoScaling SetPermission
  SetTimeBasedAutoScaling StartInstance StartStack StopInstance StopStack UnassignInstance UnassignVolume
  UpdateElasticIp UpdateInstance UpdateLayer UpdateRdsDbInstance UpdateStack UpdateVolume`.split(/\s+/);

/** What only a policy allows, whatever the level. */
export const POLICY_ONLY = `CloneStack CreateStack CreateUserProfile DeleteUserProfile DescribeUserProfiles
  UpdateUserProfile ListTags TagResource UntagResource`.split(/\s+/);

function levelAllows(level: string, action: string): boolean {
  if (level === "show") return isOneOf(action, SHOW);
  if (level === "deploy") return isOneOf(action, [...SHOW, ...DEPLOY]);
  if (level !== "manage") return false;
  return (
    isOneOf(action, [...SHOW, ...DEPLOY, ...MANAGE]) ||
    action.toLowerCase() === "stackwarden:checkauthorization"
  );
}
