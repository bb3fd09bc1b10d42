import * as z from "zod";
import type { Answer, IamAccount } from "./iam-endpoint.ts";

const Policy = z.looseObject({ PolicyName: z.string(), PolicyDocument: z.unknown() });
const Profile = z.looseObject({ InstanceProfileName: z.string().optional(), Arn: z.string() });
const RoleDetail = z.looseObject({
  RoleName: z.string(),
  Arn: z.string(),
  AssumeRolePolicyDocument: z.unknown(),
  RolePolicyList: z.array(Policy).default([]),
  AttachedManagedPolicies: z.array(z.looseObject({})).default([]),
  InstanceProfileList: z.array(Profile).default([]),
});
type RoleDetail = z.infer<typeof RoleDetail>;

type Ask = (endpoint: { account: IamAccount }, parameters: URLSearchParams) => Answer;

/**
 * What IAM answers about roles and instance profiles, and how they are made. An instance profile is found with the role that it holds.
 * Source: IAM API Reference, GetRole, GetRolePolicy, ListRolePolicies, ListAttachedRolePolicies, GetInstanceProfile, CreateRole, PutRolePolicy,
 * CreateInstanceProfile, AddRoleToInstanceProfile.
 */
const ANSWERS: Readonly<Record<string, Ask>> = {
  GetRole: ofRole((role) => {
    const { RolePolicyList: _, AttachedManagedPolicies: __, InstanceProfileList: ___, ...Role } = role;
    return { result: { Role } };
  }),
  ListRolePolicies: ofRole(({ RolePolicyList }) => ({
    result: { PolicyNames: RolePolicyList.map(({ PolicyName }) => PolicyName), IsTruncated: false },
  })),
  GetRolePolicy: ofRole(({ RoleName, RolePolicyList }, parameters) => {
    const name = parameters.get("PolicyName") ?? "";
    const found = RolePolicyList.find(({ PolicyName }) => PolicyName === name);
    return found ? { result: { RoleName, ...found } } : missing(`role policy with name ${name}`);
  }),
  ListAttachedRolePolicies: ofRole(({ AttachedManagedPolicies: AttachedPolicies }) => ({
    result: { AttachedPolicies, IsTruncated: false },
  })),
  GetInstanceProfile: ({ account }, parameters) => {
    const name = parameters.get("InstanceProfileName") ?? "";
    const profile = profileNamed(account, name);
    return profile ? { result: { InstanceProfile: profile } } : missing(`Instance Profile ${name}`);
  },
  CreateRole: (endpoint, parameters) => {
    const RoleName = parameters.get("RoleName") ?? "";
    if (rolesOf(endpoint.account).some((role) => role.RoleName === RoleName)) return taken(RoleName);
    const AssumeRolePolicyDocument = parameters.get("AssumeRolePolicyDocument") ?? "";
    const Role = {
      RoleName,
      RoleId: `AROA${RoleName}`,
      Arn: arnOf("role", RoleName),
      AssumeRolePolicyDocument,
    };
    changeRole(endpoint, {
      ...Role,
      RolePolicyList: [],
      AttachedManagedPolicies: [],
      InstanceProfileList: [],
    });
    return { result: { Role } };
  },
  PutRolePolicy: (endpoint, parameters) => {
    const [PolicyName, PolicyDocument] = [
      parameters.get("PolicyName") ?? "",
      parameters.get("PolicyDocument"),
    ];
    return ofRole((role) => {
      const others = role.RolePolicyList.filter((policy) => policy.PolicyName !== PolicyName);
      changeRole(endpoint, { ...role, RolePolicyList: [...others, { PolicyName, PolicyDocument }] });
      return { result: {} };
    })(endpoint, parameters);
  },
  CreateInstanceProfile: (endpoint, parameters) => {
    const InstanceProfileName = parameters.get("InstanceProfileName") ?? "";
    if (profileNamed(endpoint.account, InstanceProfileName)) return taken(InstanceProfileName);
    const InstanceProfile = {
      InstanceProfileName,
      Arn: arnOf("instance-profile", InstanceProfileName),
      Roles: [],
    };
    const { InstanceProfiles = [] } = endpoint.account;
    endpoint.account = { ...endpoint.account, InstanceProfiles: [...InstanceProfiles, InstanceProfile] };
    return { result: { InstanceProfile } };
  },
  AddRoleToInstanceProfile: (endpoint, parameters) => {
    const profile = profileNamed(endpoint.account, parameters.get("InstanceProfileName") ?? "");
    if (!profile) return missing("Instance Profile");
    if (profile.Roles.length > 0)
      return {
        status: 409,
        code: "LimitExceeded",
        message: "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1",
      };
    return ofRole((role) => {
      changeRole(endpoint, { ...role, InstanceProfileList: [...role.InstanceProfileList, profile] });
      return { result: {} };
    })(endpoint, parameters);
  },
};

export function isRoleAction(action: string): boolean {
  return Object.hasOwn(ANSWERS, action);
}

export function roleAnswer(
  endpoint: { account: IamAccount },
  action: string,
  parameters: URLSearchParams,
): Answer {
  return ANSWERS[action]?.(endpoint, parameters) ?? missing(action);
}

function ofRole(answer: (role: RoleDetail, parameters: URLSearchParams) => Answer): Ask {
  return ({ account }, parameters) => {
    const name = parameters.get("RoleName") ?? "";
    const role = rolesOf(account).find(({ RoleName }) => RoleName === name);
    return role ? answer(role, parameters) : missing(`role with name ${name}`);
  };
}

function rolesOf({ RoleDetailList = [] }: IamAccount): RoleDetail[] {
  return RoleDetailList.flatMap((role) => RoleDetail.safeParse(role).data ?? []);
}

/** An instance profile with the role that it holds, if any. */
function profileNamed(account: IamAccount, name: string) {
  for (const role of rolesOf(account)) {
    const held = role.InstanceProfileList.find(({ Arn }) => Arn.endsWith(`/${name}`));
    if (!held) continue;
    const { RoleName, Arn, AssumeRolePolicyDocument } = role;
    return { InstanceProfileName: name, ...held, Roles: [{ RoleName, Arn, AssumeRolePolicyDocument }] };
  }
  const empty = (account.InstanceProfiles ?? []).flatMap((profile) => Profile.safeParse(profile).data ?? []);
  const found = empty.find(({ InstanceProfileName }) => InstanceProfileName === name);
  return found && { ...found, Roles: [] };
}

function changeRole(endpoint: { account: IamAccount }, role: RoleDetail): void {
  const others = rolesOf(endpoint.account).filter(({ RoleName }) => RoleName !== role.RoleName);
  endpoint.account = { ...endpoint.account, RoleDetailList: [...others, role] };
}

function arnOf(type: string, name: string): string {
  return `arn:aws:iam::123456789012:${type}/${name}`;
}

function taken(name: string): Answer {
  return { status: 409, code: "EntityAlreadyExists", message: `${name} already exists.` };
}

function missing(what: string): Answer {
  return { status: 404, code: "NoSuchEntity", message: `The ${what} cannot be found.` };
}
