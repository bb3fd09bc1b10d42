import type * as z from "zod";
import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { readJson } from "../iam/json.ts";
import { MAX_POLICY_LENGTH } from "../iam/policy.ts";
import { namesService } from "../iam/trust.ts";
import { readPrincipal } from "../model/principal.ts";
import type { User } from "../model/user.ts";
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
  | "Groups"
  | "Policies"
  | "Boundary"
  | "Tags"
>;

export type Account = {
  readonly users: readonly AccountUser[];
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
  const notUnderstood: string[] = [];
  const examination = new Examination(catalogue);
  const notRead: (SomebodyDetail & { fault: string })[] = [];
  if (details.IsTruncated)
    notUnderstood.push("the snapshot is truncated: `IsTruncated` is true, so parts are missing");

  const read = <T>(schema: z.ZodType<T>, list: string, entries: readonly unknown[]): T[] =>
    entries.flatMap((entry, index) => {
      const parsed = schema.safeParse(entry);
      if (parsed.success) return [parsed.data];
      const fault = `${list}[${index}]: ${faultOf(parsed.error)}`;
      const who = SomebodyDetail.safeParse(entry);
      if (who.success) notRead.push({ ...who.data, fault });
      else notUnderstood.push(fault);
      return [];
    });
  const policies = new AccountPolicies(
    read(ManagedPolicyDetail, "Policies", details.Policies),
    read(GroupDetail, "GroupDetailList", details.GroupDetailList),
    examination,
  );
  const identify = (arn: string, kind: "user" | "role"): string | undefined => {
    const principal = readPrincipal(arn);
    if (principal?.kind === kind) return principal.userArn;
    notUnderstood.push(`${arn} is not the ARN of a ${kind}`);
    return undefined;
  };

  const users = read(UserDetail, "UserDetailList", details.UserDetailList).flatMap(
    (detail): AccountUser[] => {
      const IamUserArn = identify(detail.Arn, "user");
      if (IamUserArn === undefined) return [];
      const { UserName: Name, UserId, GroupList: Groups = [] } = detail;
      const Policies = [
        ...policies.ofDetail(detail, detail.UserPolicyList),
        ...Groups.flatMap((name) => policies.ofGroup(name)),
      ];
      return [{ IamUserArn, Name, Kind: "user", UserId, Groups, Policies, ...capAndTags(detail, policies) }];
    },
  );
  const roles = read(RoleDetail, "RoleDetailList", details.RoleDetailList).flatMap(
    (detail): AccountUser[] => {
      const IamUserArn = identify(detail.Arn, "role");
      if (IamUserArn === undefined) return [];
      const identity = {
        IamUserArn,
        Name: detail.RoleName,
        Kind: "role" as const,
        UserId: detail.RoleId,
        RoleArn: detail.Arn,
      };
      examination.examine(`${detail.Arn} trust policy`, detail.AssumeRolePolicyDocument, "trust");
      const TrustsEc2 = trustsEc2(detail, notUnderstood);
      const Policies = policies.ofDetail(detail, detail.RolePolicyList);
      return [{ ...identity, TrustsEc2, Groups: [], Policies, ...capAndTags(detail, policies) }];
    },
  );
  // Whoever can be named is imported all the same: what cannot be read might deny them something.
  const unread = notRead.flatMap(({ Arn, UserId, RoleId, fault }): AccountUser[] => {
    const principal = readPrincipal(Arn);
    if (principal?.kind !== "user" && principal?.kind !== "role") return [];
    const { userArn: IamUserArn, name: Name, kind: Kind } = principal;
    const id = UserId ?? RoleId;
    const role = Kind === "role" ? { RoleArn: Arn, TrustsEc2: true } : {};
    const Policies = [{ Name: "its details", Unreadable: fault }];
    return [
      { IamUserArn, Name, Kind, ...(id ? { UserId: id } : {}), ...role, Groups: [], Policies, Tags: {} },
    ];
  });
  const everybody = [...users, ...roles, ...unread];
  return {
    users: everybody,
    documents: policies.documents,
    notUnderstood: [...notUnderstood, ...everybody.flatMap(unreadableOf)],
    findings: examination.findings,
    policyCount: examination.policyCount,
  };
}

const EC2 = ["ec2.amazonaws.com", "ec2.amazonaws.com.cn"];

/** A trust policy that cannot be read might name EC2, and what it names then takes more permission, not less. */
function trustsEc2({ Arn, AssumeRolePolicyDocument }: RoleDetail, notUnderstood: string[]): boolean {
  try {
    return namesService(readJson(textOf(AssumeRolePolicyDocument), MAX_POLICY_LENGTH), EC2);
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    notUnderstood.push(`${Arn}: trust policy: ${error.message}`);
    return true;
  }
}

function capAndTags({ PermissionsBoundary, Tags = [] }: UserDetail | RoleDetail, policies: AccountPolicies) {
  return {
    ...(PermissionsBoundary
      ? { Boundary: policies.managed(PermissionsBoundary.PermissionsBoundaryArn) }
      : {}),
    Tags: Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value])),
  };
}

function faultOf(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join(".")}: ${issue?.message}`;
}

function unreadableOf({ IamUserArn, Policies, Boundary }: AccountUser): string[] {
  return [...Policies, ...(Boundary ? [Boundary] : [])].flatMap((ref) =>
    "Unreadable" in ref ? [`${IamUserArn}: policy \`${ref.Name}\`: ${ref.Unreadable}`] : [],
  );
}
