import { type Decision, decide, type Facts } from "../decision/decide.ts";
import type { NamedPolicy } from "../iam/evaluate.ts";
import { InvalidRequest } from "../iam/invalid-request.ts";
import { type Policy, parsePolicy } from "../iam/policy.ts";
import { readRequest } from "../iam/request.ts";
import type { Context } from "../iam/context.ts";
import { Fault } from "../model/fault.ts";
import { type Grant, permissionOf } from "../model/grant.ts";
import type { Principal } from "../model/principal.ts";
import type { Stack } from "../model/stack.ts";
import { stackArn } from "../model/stack-arn.ts";
import type { PolicyRef, User } from "../model/user.ts";
import type { Deployment } from "./deployment.ts";
import { loadPolicies } from "./policy-cache.ts";
import type { Snapshot } from "./snapshot.ts";

/** Who is asked about; `userId` as API Gateway verified it, when they ask themselves. */
export type Subject = { readonly principal: Principal; readonly userId?: string };

/** A decision, and what an explanation needs beside it. */
export type Answer = Decision & {
  readonly action: string;
  readonly resource: string;
  readonly subject: Principal;
  /** Whether there is such a user here. */
  readonly known: boolean;
  readonly unreadable: readonly string[];
  readonly mustPassRole?: string;
  /** Condition keys that policies asked for and nobody could supply, in lower case. */
  readonly absentKeys: readonly string[];
};

const ADMINISTRATOR: NamedPolicy = {
  name: "Administrators",
  policy: parsePolicy(
    JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: ["opsworks:*", "stackwarden:*"], Resource: "*" },
    }),
  ),
};

/**
 * Decides whether the subject may perform the action on the stack the snapshot was asked for, or on `*` if on none.
 * @throws Fault ValidationException for a context that cannot be evaluated
 */
export async function answer(
  deployment: Deployment,
  snapshot: Snapshot,
  subject: Subject,
  action: string,
  contextOf: (user: User | undefined) => Context,
): Promise<Answer> {
  const { principal } = subject;
  const user = samePerson(snapshot.user(principal.userArn), subject);
  const facts = await loadFacts(
    deployment,
    principal,
    user,
    snapshot.grant(principal.userArn),
    snapshot.stack,
  );
  const { stackId, stack } = snapshot;
  const resource = stack?.Arn ?? (stackId === undefined ? "*" : stackArn(deployment.place, stackId));
  try {
    const request = readRequest(action, resource, contextOf(user));
    const decision = decide(facts, request);
    return {
      ...decision,
      action,
      resource,
      subject: principal,
      known: user !== undefined || facts.accountOwner,
      unreadable: facts.unreadable,
      ...(facts.mustPassRole === undefined ? {} : { mustPassRole: facts.mustPassRole }),
      absentKeys: request.context.absent,
    };
  } catch (error) {
    if (error instanceof InvalidRequest)
      throw new Fault("ValidationException", error.message, { cause: error });
    throw error;
  }
}

/**
 * The user, unless the verified caller is somebody else under the same name: an IAM user who is deleted and made again has
 * another id.
 *
 * Source: IAM User Guide, "IAM identifiers: Unique identifiers".
 */
function samePerson(user: User | undefined, { userId }: Subject): User | undefined {
  const verified = userId?.split(":")[0];
  return user?.UserId !== undefined && verified !== undefined && user.UserId !== verified ? undefined : user;
}

async function loadFacts(
  { table, place, administrators }: Deployment,
  principal: Principal,
  user: User | undefined,
  grant: Grant | undefined,
  stack: Stack | undefined,
): Promise<Facts> {
  const own = principal.kind === "federated" ? [] : (user?.Policies ?? []);
  const boundary = user?.Boundary;
  const refs = boundary ? [...own, boundary] : own;
  const compiled = await loadPolicies(
    table,
    refs.flatMap((ref) => ("Hash" in ref ? [ref.Hash] : [])),
  );
  const policies = own.flatMap((ref) => named(ref, compiled));
  const isAdministrator = administrators.has(principal.userArn);
  const [cap] = boundary ? named(boundary, compiled) : [];
  const permission = permissionOf(user, grant);
  return {
    accountOwner: principal.kind === "root" && principal.accountId === place.accountId,
    ...(stack
      ? { grant: { stackArn: stack.Arn, level: permission.Level, allowSsh: permission.AllowSsh } }
      : {}),
    policies: isAdministrator ? [...policies, ADMINISTRATOR] : policies,
    ...(cap ? { boundary: cap } : {}),
    unreadable: refs.filter((ref) => named(ref, compiled).length === 0).map((ref) => ref.Name),
    selfManagement: user?.AllowSelfManagement ?? false,
    ...(stack && isApplication(principal, user) ? { mustPassRole: stack.ServiceRoleArn } : {}),
  };
}

function named(ref: PolicyRef, compiled: ReadonlyMap<string, Policy>): NamedPolicy[] {
  const policy = "Hash" in ref ? compiled.get(ref.Hash) : undefined;
  return policy ? [{ name: ref.Name, policy }] : [];
}

/** An application on an instance: EC2 names the session of an instance's role after the instance. */
function isApplication(principal: Principal, user: User | undefined): boolean {
  return (
    principal.kind === "session" &&
    /^i-[0-9a-f]{8,17}$/.test(principal.sessionName ?? "") &&
    (user?.TrustsEc2 ?? false)
  );
}
