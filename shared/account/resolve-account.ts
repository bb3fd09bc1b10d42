import * as z from "zod";
import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { readJson } from "../iam/json.ts";
import { MAX_POLICY_LENGTH } from "../iam/policy.ts";
import { EC2_SERVICES, namesService } from "../iam/trust.ts";
import { readPrincipal } from "../model/principal.ts";
import type { Group } from "../table/groups.ts";
import type { PolicyRef, User } from "../model/user.ts";
import {
  AccountDetails,
  GroupDetail,
  ManagedPolicyDetail,
  RoleDetail,
  SomebodyDetail,
  UserDetail,
} from "./account-details.ts";
import { AccountPolicies } from "./account-policies.ts";
import { Examination, type PolicyFindings, textOf } from "./examination.ts";

/** What IAM says of a user; the rest of a profile (SSH, self-management) is ours. */
export type AccountUser = Pick<
  User,
  | "IamUserArn"
  | "Name"
  | "Kind"
  | "UserId"
  | "RoleArn"
  | "TrustsEc2"
  | "TrustPolicy"
  | "InstanceProfiles"
  | "Groups"
  | "GroupIds"
  | "Policies"
  | "Boundary"
  | "Tags"
>;

export type Account = {
  readonly users: readonly AccountUser[];
  readonly groups: readonly Group[];
  /** Texts of policy documents, by hash. */
  readonly documents: ReadonlyMap<string, string>;
  /** What could not be understood, a sentence each. */
  readonly notUnderstood: readonly string[];
  /** Policies of which there is something to say: errors of those that are unreadable, and warnings. */
  readonly findings: readonly PolicyFindings[];
  /** Of the policies that were looked at, trust policies among them. */
  readonly policyCount: number;
};

/**
 * The users and roles of an account with all that applies to each: inline, attached and group policies, boundary, tags. A
 * policy is never dropped: one that is missing or unreadable stays, as unreadable, and is reported.
 *
 * @param value the JSON of GetAccountAuthorizationDetails, as {@link readJson} reads it
 * @param catalogue names of all actions of the services whose actions are known
 * @throws z.ZodError when it is not of that shape at all
 */
export function resolveAccount(value: unknown, catalogue: readonly string[] = []): Account {
  const details = AccountDetails.parse(value);
  const resolver = new AccountResolver(catalogue, "the snapshot");
  if (details.IsTruncated)
    resolver.notUnderstood.push("the snapshot is truncated: `IsTruncated` is true, so parts are missing");
  resolver.addPolicies(details.Policies);
  resolver.addGroups(details.GroupDetailList);
  const users = [
    ...resolver.resolveUsers(details.UserDetailList),
    ...resolver.resolveRoles(details.RoleDetailList),
  ];
  const refs = users.flatMap((user) => [...refsOf(user), ...(user.TrustPolicy ? [user.TrustPolicy] : [])]);
  const referred = new Set(refs.map((ref) => "Hash" in ref && ref.Hash));
  return {
    users,
    groups: resolver.policies.groups,
    documents: new Map([...resolver.policies.takeDocuments()].filter(([hash]) => referred.has(hash))),
    notUnderstood: [...resolver.notUnderstood, ...users.flatMap(unreadableOf)],
    findings: resolver.findings,
    policyCount: resolver.policyCount,
  };
}

/** What a page of an account refers to, as far as it can be read. */
const References = z.object({
  AttachedManagedPolicies: z.array(z.object({ PolicyArn: z.string() })).catch([]),
  PermissionsBoundary: z.object({ PermissionsBoundaryArn: z.string() }).optional().catch(undefined),
  GroupList: z.array(z.string()).catch([]),
});

/**
 * Makes users of an account's details, list after list and page after page: first managed policies, then groups, then users
 * and roles.
 */
export class AccountResolver {
  readonly policies: AccountPolicies;
  /** What could not be understood, a sentence each; of policies that are unreadable, see {@link unreadableOf}. */
  readonly notUnderstood: string[] = [];
  readonly #examination: Examination;

  /** @param source what the account is read from, in words */
  constructor(catalogue: readonly string[], source: string) {
    this.#examination = new Examination(catalogue);
    this.policies = new AccountPolicies(this.#examination, source);
  }

  get findings(): readonly PolicyFindings[] {
    return this.#examination.findings;
  }

  get policyCount(): number {
    return this.#examination.policyCount;
  }

  addPolicies(entries: readonly unknown[]): void {
    for (const policy of this.#read(ManagedPolicyDetail, "Policies", entries))
      this.policies.addManaged(policy);
  }

  addGroups(entries: readonly unknown[]): void {
    for (const group of this.#read(GroupDetail, "GroupDetailList", entries)) this.policies.addGroup(group);
  }

  /** The managed policies and the groups that a page refers to and that were not added yet. */
  missingFrom(entries: readonly unknown[]): { readonly policies: string[]; readonly groups: string[] } {
    const referred = entries.flatMap((entry) => References.safeParse(entry).data ?? []);
    const arns = referred.flatMap(({ AttachedManagedPolicies, PermissionsBoundary }) => [
      ...AttachedManagedPolicies.map(({ PolicyArn }) => PolicyArn),
      ...(PermissionsBoundary ? [PermissionsBoundary.PermissionsBoundaryArn] : []),
    ]);
    const groups = referred.flatMap(({ GroupList }) => GroupList);
    return {
      policies: [...new Set(arns)].filter((arn) => !this.policies.hasManaged(arn)),
      groups: [...new Set(groups)].filter((name) => !this.policies.hasGroup(name)),
    };
  }

  resolveUsers(entries: readonly unknown[]): AccountUser[] {
    const unread: AccountUser[] = [];
    const users = this.#read(UserDetail, "UserDetailList", entries, unread).flatMap(
      (detail): AccountUser[] => {
        const IamUserArn = this.#identify(detail.Arn, "user");
        if (IamUserArn === undefined) return [];
        const { UserName: Name, UserId, GroupList: Groups = [] } = detail;
        const Policies = [
          ...this.policies.ofDetail(detail, detail.UserPolicyList),
          ...Groups.flatMap((name) => this.policies.ofGroup(name)),
          ...this.#faultsOfTags(detail),
        ];
        const GroupIds = this.policies.idsOfGroups(Groups);
        const member = Groups.length > 0 ? { Groups, GroupIds } : { Groups };
        return [{ IamUserArn, Name, Kind: "user", UserId, ...member, Policies, ...this.#capAndTags(detail) }];
      },
    );
    return [...users, ...unread];
  }

  resolveRoles(entries: readonly unknown[]): AccountUser[] {
    const unread: AccountUser[] = [];
    const roles = this.#read(RoleDetail, "RoleDetailList", entries, unread).flatMap(
      (detail): AccountUser[] => {
        const IamUserArn = this.#identify(detail.Arn, "role");
        if (IamUserArn === undefined) return [];
        const { RoleName: Name, RoleId: UserId, Arn: RoleArn } = detail;
        const TrustPolicy = this.policies.ofTrust(detail);
        const InstanceProfiles = (detail.InstanceProfileList ?? []).map(({ Arn }) => Arn).toSorted();
        const TrustsEc2 = trustsEc2(detail, this.notUnderstood);
        const own = this.policies.ofDetail(detail, detail.RolePolicyList);
        const Policies = [...own, ...this.#faultsOfTags(detail)];
        const role = { IamUserArn, Name, Kind: "role" as const, UserId, RoleArn, TrustsEc2 };
        const assumed = { TrustPolicy, ...(InstanceProfiles.length > 0 ? { InstanceProfiles } : {}) };
        return [{ ...role, ...assumed, Groups: [], Policies, ...this.#capAndTags(detail) }];
      },
    );
    return [...roles, ...unread];
  }

  /** Entries that are of that shape; whoever is not, but can be named, goes to `unread`. */
  #read<T>(schema: z.ZodType<T>, list: string, entries: readonly unknown[], unread: AccountUser[] = []): T[] {
    return entries.flatMap((entry, index) => {
      const parsed = schema.safeParse(entry);
      if (parsed.success) return [parsed.data];
      const fault = `${list}[${index}]: ${faultOf(parsed.error)}`;
      const somebody = unreadSomebody(entry, fault);
      if (somebody) unread.push(somebody);
      else this.notUnderstood.push(fault);
      return [];
    });
  }

  #identify(arn: string, kind: "user" | "role"): string | undefined {
    const principal = readPrincipal(arn);
    if (principal?.kind === kind) return principal.userArn;
    this.notUnderstood.push(`${arn} is not the ARN of a ${kind}`);
    return undefined;
  }

  /** A tag that no object can have: a policy might ask about it, and deny something by it. */
  #faultsOfTags({ Tags = [] }: UserDetail | RoleDetail): PolicyRef[] {
    const Unreadable = "the tag `__proto__` cannot be kept, so remove it and import again";
    return Tags.some(({ Key }) => Key === "__proto__") ? [{ Name: "its tags", Unreadable }] : [];
  }

  #capAndTags({ PermissionsBoundary, Tags = [] }: UserDetail | RoleDetail) {
    return {
      ...(PermissionsBoundary
        ? { Boundary: this.policies.managed(PermissionsBoundary.PermissionsBoundaryArn) }
        : {}),
      Tags: Object.fromEntries(
        Tags.filter(({ Key }) => Key !== "__proto__").map(({ Key, Value }) => [Key, Value]),
      ),
    };
  }
}

/** Whoever can be named is imported all the same: what cannot be read might deny them something. */
function unreadSomebody(entry: unknown, fault: string): AccountUser | undefined {
  const who = SomebodyDetail.safeParse(entry);
  const principal = who.success ? readPrincipal(who.data.Arn) : undefined;
  if (principal?.kind !== "user" && principal?.kind !== "role") return undefined;
  const { userArn: IamUserArn, name: Name, kind: Kind, arn } = principal;
  const id = who.data?.UserId ?? who.data?.RoleId;
  const role = Kind === "role" ? { RoleArn: arn, TrustsEc2: true } : {};
  const Policies = [{ Name: "its details", Unreadable: fault }];
  return { IamUserArn, Name, Kind, ...(id ? { UserId: id } : {}), ...role, Groups: [], Policies, Tags: {} };
}

/** The ARN under which somebody of the account's details is kept. */
export function userArnOf(entry: unknown): string | undefined {
  const who = SomebodyDetail.safeParse(entry);
  return who.success ? readPrincipal(who.data.Arn)?.userArn : undefined;
}

/** IAM's unique id of somebody of the account's details. */
export function uniqueIdOf(entry: unknown): string | undefined {
  const { data } = SomebodyDetail.safeParse(entry);
  return data?.UserId ?? data?.RoleId;
}

/** A trust policy that cannot be read might name EC2, and what it names then takes more permission, not less. */
function trustsEc2({ Arn, AssumeRolePolicyDocument }: RoleDetail, notUnderstood: string[]): boolean {
  try {
    return namesService(readJson(textOf(AssumeRolePolicyDocument), MAX_POLICY_LENGTH), EC2_SERVICES);
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    notUnderstood.push(`${Arn}: trust policy: ${error.message}`);
    return true;
  }
}

function faultOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".")}: ${issue?.message}`;
}

function refsOf({ Policies, Boundary }: AccountUser) {
  return [...Policies, ...(Boundary ? [Boundary] : [])];
}

/** A sentence for each policy of a user that could not be read. */
export function unreadableOf(user: AccountUser): string[] {
  return refsOf(user).flatMap((ref) =>
    "Unreadable" in ref ? [`${user.IamUserArn}: policy \`${ref.Name}\`: ${ref.Unreadable}`] : [],
  );
}
