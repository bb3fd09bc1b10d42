import { hashOf } from "../model/policy-hash.ts";
import type { PolicyRef } from "../model/user.ts";
import type { GroupDetail, ManagedPolicyDetail, RoleDetail, UserDetail } from "./account-details.ts";
import { type Examination, textOf } from "./examination.ts";

/**
 * The policies of an account, by what they are attached to. A policy is never dropped: one that is missing or unreadable
 * stays, as unreadable.
 */
export class AccountPolicies {
  /** Texts of the documents that were referred to, by hash. */
  readonly documents = new Map<string, string>();
  readonly #managed: ReadonlyMap<string, ManagedPolicyDetail>;
  readonly #groups: ReadonlyMap<string, GroupDetail>;
  readonly #examination: Examination;

  constructor(
    managed: readonly ManagedPolicyDetail[],
    groups: readonly GroupDetail[],
    examination: Examination,
  ) {
    this.#managed = new Map(managed.map((policy) => [policy.Arn, policy]));
    this.#groups = new Map(groups.map((group) => [group.GroupName, group]));
    this.#examination = examination;
    this.#examineAll();
  }

  /** A user's or role's own: inline and attached. */
  ofDetail(
    { Arn, AttachedManagedPolicies = [] }: UserDetail | RoleDetail,
    inline: UserDetail["UserPolicyList"] = [],
  ): PolicyRef[] {
    return [
      ...inline.map(({ PolicyName, PolicyDocument }) =>
        this.#refer(PolicyName, PolicyDocument, `${Arn} ${PolicyName}`),
      ),
      ...AttachedManagedPolicies.map(({ PolicyArn }) => this.managed(PolicyArn)),
    ];
  }

  ofGroup(name: string): PolicyRef[] {
    const group = this.#groups.get(name);
    if (!group) return [{ Name: `group/${name}`, Unreadable: "the group is not in the snapshot" }];
    const { GroupPolicyList = [], AttachedManagedPolicies = [] } = group;
    return [
      ...GroupPolicyList.map(({ PolicyName, PolicyDocument }) =>
        this.#refer(`group/${name} ${PolicyName}`, PolicyDocument),
      ),
      ...AttachedManagedPolicies.map(({ PolicyArn }) =>
        this.managed(PolicyArn, `group/${name} ${PolicyArn}`),
      ),
    ];
  }

  /** The default version of a managed policy. */
  managed(arn: string, name = arn): PolicyRef {
    const version = defaultVersionOf(this.#managed.get(arn));
    return version
      ? this.#refer(name, version.Document, arn)
      : { Name: name, Unreadable: "its document is not in the snapshot" };
  }

  /** @param policy under which name its findings are told */
  #refer(name: string, document: unknown, policy = name): PolicyRef {
    const [fault, ...others] = this.#examination
      .examine(policy, document, "identity")
      .filter(({ severity }) => severity === "error");
    if (fault) {
      const more = others.length === 0 ? "" : `; and ${others.length} more`;
      return { Name: name, Unreadable: `${fault.path}: ${fault.message}${more}` };
    }
    const text = textOf(document);
    const hash = hashOf(text);
    this.documents.set(hash, text);
    return { Name: name, Hash: hash };
  }

  /** What is attached to nobody, too. */
  #examineAll(): void {
    for (const policy of this.#managed.values()) {
      const version = defaultVersionOf(policy);
      if (version) this.#examination.examine(policy.Arn, version.Document, "identity");
    }
    for (const { GroupName, GroupPolicyList = [] } of this.#groups.values()) {
      for (const { PolicyName, PolicyDocument } of GroupPolicyList) {
        this.#examination.examine(`group/${GroupName} ${PolicyName}`, PolicyDocument, "identity");
      }
    }
  }
}

function defaultVersionOf(policy: ManagedPolicyDetail | undefined) {
  return policy?.PolicyVersionList?.find(({ VersionId }) => VersionId === policy.DefaultVersionId);
}
