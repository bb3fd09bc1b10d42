import type { Facts } from "../decision/decide.ts";
import type { NamedPolicy } from "../iam/evaluate.ts";
import { type Policy, parsePolicy } from "../iam/policy.ts";
import { NO_GRANT } from "../model/grant.ts";
import type { Principal } from "../model/principal.ts";
import type { Stack } from "../model/stack.ts";
import type { PolicyRef, User } from "../model/user.ts";
import type { Table } from "../table/table.ts";
import type { Held } from "./held.ts";
import { hashesOf, loadPolicies } from "./policy-cache.ts";

/** Who is asked about, as the table has it. */
export type Known = {
  readonly principal: Principal;
  readonly user: User | undefined;
  readonly isAdministrator: boolean;
  /** The root of this deployment's account. */
  readonly isAccountOwner: boolean;
  readonly held: Held;
  /** Of the stack that is asked about, whether it is there or not. */
  readonly stackArn: string | undefined;
  readonly stack: Stack | undefined;
  readonly selfManagement: boolean;
};

/** What an administrator counts as having. */
const ADMINISTRATOR: NamedPolicy = {
  name: "Administrators",
  policy: parsePolicy(
    JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Action: ["opsworks:*", "stackwarden:*"], Resource: "*" },
    }),
  ),
};

/** What the decision needs to know of somebody, with their policies compiled. */
export async function loadFacts(table: Table, known: Known): Promise<Facts> {
  const { principal, user, held, stackArn, stack } = known;
  // What a federated user may do is cut down by a session policy that nobody here can see, so levels are all they have.
  const own = principal.kind === "federated" ? [] : (user?.Policies ?? []);
  const refs = user?.Boundary ? [...own, user.Boundary] : own;
  const compiled = await loadPolicies(table, hashesOf(refs));
  const named = (ref: PolicyRef): NamedPolicy | undefined => {
    const policy = "Hash" in ref ? compiled.get(ref.Hash) : undefined;
    return policy && { name: ref.Name, policy };
  };
  const read = own.map(named).filter((policy) => policy !== undefined);
  const policies = user?.GoneSince === undefined ? read : read.map(withoutAllows);
  const boundary = user?.Boundary && named(user.Boundary);
  return {
    accountOwner: known.isAccountOwner,
    // Of a stack that is not there nobody holds anything, and whoever may not know is told no more than of one that is.
    ...(stackArn === undefined ? {} : { grant: { stackArn, level: stack ? held.Level : NO_GRANT.Level } }),
    allowSsh: stack !== undefined && held.AllowSsh,
    policies: known.isAdministrator ? [...policies, ADMINISTRATOR] : policies,
    ...(boundary ? { boundary } : {}),
    unreadable: refs.filter((ref) => !named(ref)).map((ref) => ref.Name),
    selfManagement: known.selfManagement,
    ...(stack && isApplication(principal, user) ? { mustPassRole: stack.ServiceRoleArn } : {}),
  };
}

/** Of a user whom IAM no longer has: what their policies gave is gone, what they denied is not. */
function withoutAllows({ name, policy }: NamedPolicy): NamedPolicy {
  const about: Policy["about"] = (action) => ({ Deny: policy.about(action).Deny, Allow: [] });
  return { name, policy: { ...policy, about } };
}

/**
 * An application on an instance: EC2 names the session of an instance's role after the instance. The role is one that EC2 may assume, or
 * that an instance profile holds, whichever applies there; of one that was never imported neither is known, so it may be.
 */
function isApplication({ kind, sessionName = "" }: Principal, user: User | undefined): boolean {
  if (kind !== "session" || !user || !/^i-[0-9a-f]{8,17}$/.test(sessionName)) return false;
  const { TrustsEc2 = true, InstanceProfiles = [] } = user;
  return TrustsEc2 || InstanceProfiles.length > 0;
}
