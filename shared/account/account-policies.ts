import type { DocumentKind } from "../iam/document.ts";
import { hashOf } from "../model/policy-hash.ts";
import type { Group } from "../table/groups.ts";
import type { PolicyRef } from "../model/user.ts";
import type { GroupDetail, ManagedPolicyDetail, RoleDetail, UserDetail } from "./account-details.ts";
import { type Examination, textOf } from "./examination.ts";

/** Where a policy's document is, whatever the policy is called for whom. */
type Content = { readonly Hash: string } | { readonly Unreadable: string };

/**
 * The policies of an account, by what they are attached to. A policy is never dropped: one that is missing or unreadable
 * stays, as unreadable. Texts are kept only until somebody takes them.
 */
export class AccountPolicies {
  /** The groups that were added. */
  readonly groups: Group[] = [];
  readonly #examination: Examination;
  readonly #source: string;
  readonly #managed = new Map<string, Content>();
  readonly #groups = new Map<string, readonly PolicyRef[]>();
  #texts = new Map<string, string>();

  /** @param source what the account is read from, in words */
  constructor(examination: Examination, source: string) {
    this.#examination = examination;
    this.#source = source;
  }

  /** Adds a managed policy, which goes by its default version. */
  addManaged({ Arn, DefaultVersionId, PolicyVersionList = [] }: ManagedPolicyDetail): void {
    const version = PolicyVersionList.find(({ VersionId }) => VersionId === DefaultVersionId);
    if (version) this.#managed.set(Arn, this.#read(Arn, version.Document));
  }

  /** Adds a managed policy that could not be had. */
  addUnreadable(arn: string, why: string): void {
    this.#managed.set(arn, { Unreadable: why });
  }

  /** Adds a group, once, after the managed policies that are attached to it. */
  addGroup({ GroupName, GroupId, GroupPolicyList = [], AttachedManagedPolicies = [] }: GroupDetail): void {
    if (this.#groups.has(GroupName)) return;
    this.groups.push({ Name: GroupName, ...(GroupId === undefined ? {} : { Id: GroupId }) });
    const of = (policy: string) => `group/${GroupName} ${policy}`;
    this.#groups.set(GroupName, [
      ...GroupPolicyList.map(({ PolicyName, PolicyDocument }) => ({
        Name: of(PolicyName),
        ...this.#read(of(PolicyName), PolicyDocument),
      })),
      ...AttachedManagedPolicies.map(({ PolicyArn }) => this.managed(PolicyArn, of(PolicyArn))),
    ]);
  }

  hasManaged(arn: string): boolean {
    return this.#managed.has(arn);
  }

  hasGroup(name: string): boolean {
    return this.#groups.has(name);
  }

  /** A user's or role's own: inline and attached. */
  ofDetail(
    { Arn, AttachedManagedPolicies = [] }: UserDetail | RoleDetail,
    inline: UserDetail["UserPolicyList"] = [],
  ): PolicyRef[] {
    return [
      ...inline.map(({ PolicyName, PolicyDocument }) => ({
        Name: PolicyName,
        ...this.#read(`${Arn} ${PolicyName}`, PolicyDocument),
      })),
      ...AttachedManagedPolicies.map(({ PolicyArn }) => this.managed(PolicyArn)),
    ];
  }

  idsOfGroups(names: readonly string[]): Record<string, string> {
    const ids = this.groups.flatMap(({ Name, Id }) =>
      Id !== undefined && Name !== "__proto__" && names.includes(Name) ? [[Name, Id] as const] : [],
    );
    return Object.fromEntries(ids);
  }

  ofGroup(name: string): readonly PolicyRef[] {
    const missing = { Name: `group/${name}`, Unreadable: `the group is not in ${this.#source}` };
    return this.#groups.get(name) ?? [missing];
  }

  /** The default version of a managed policy. */
  managed(arn: string, name = arn): PolicyRef {
    const missing = { Unreadable: `its document is not in ${this.#source}` };
    return { Name: name, ...(this.#managed.get(arn) ?? missing) };
  }

  /** Who may assume a role. */
  ofTrust({ Arn, AssumeRolePolicyDocument }: RoleDetail): PolicyRef {
    return { Name: "trust policy", ...this.#read(`${Arn} trust policy`, AssumeRolePolicyDocument, "trust") };
  }

  /** The texts that were read since the last time, by hash. */
  takeDocuments(): ReadonlyMap<string, string> {
    const texts = this.#texts;
    this.#texts = new Map();
    return texts;
  }

  /** @param policy under which name its findings are told */
  #read(policy: string, document: unknown, kind: DocumentKind = "identity"): Content {
    const [fault, ...others] = this.#examination
      .examine(policy, document, kind)
      .filter(({ severity }) => severity === "error");
    if (fault) {
      const more = others.length === 0 ? "" : `; and ${others.length} more`;
      return { Unreadable: `${fault.path}: ${fault.message}${more}` };
    }
    const text = textOf(document);
    const Hash = hashOf(text);
    this.#texts.set(Hash, text);
    return { Hash };
  }
}
