import * as z from "zod";

/** A document as the CLI prints it (an object), or as the API sends it (URL-encoded JSON). */
const PolicyDocument = z.unknown();

const InlinePolicy = z.object({ PolicyName: z.string(), PolicyDocument });
const AttachedPolicy = z.object({ PolicyName: z.string(), PolicyArn: z.string() });
const Boundary = z.object({ PermissionsBoundaryArn: z.string() });
const Tags = z.array(z.object({ Key: z.string(), Value: z.string() })).optional();
const attached = { AttachedManagedPolicies: z.array(AttachedPolicy).optional() };

export const UserDetail = z.object({
  Arn: z.string(),
  UserName: z.string(),
  UserId: z.string(),
  GroupList: z.array(z.string()).optional(),
  UserPolicyList: z.array(InlinePolicy).optional(),
  ...attached,
  PermissionsBoundary: Boundary.optional(),
  Tags,
});
export type UserDetail = z.infer<typeof UserDetail>;

export const RoleDetail = z.object({
  Arn: z.string(),
  RoleName: z.string(),
  RoleId: z.string(),
  AssumeRolePolicyDocument: PolicyDocument,
  RolePolicyList: z.array(InlinePolicy).optional(),
  InstanceProfileList: z.array(z.object({ Arn: z.string() })).optional(),
  ...attached,
  PermissionsBoundary: Boundary.optional(),
  Tags,
});
export type RoleDetail = z.infer<typeof RoleDetail>;

/** As much of a user or role as it takes to name them. */
export const SomebodyDetail = z.object({
  Arn: z.string(),
  UserId: z.string().optional(),
  RoleId: z.string().optional(),
});
export type SomebodyDetail = z.infer<typeof SomebodyDetail>;

export const GroupDetail = z.object({
  GroupName: z.string(),
  GroupId: z.string().optional(),
  GroupPolicyList: z.array(InlinePolicy).optional(),
  ...attached,
});
export type GroupDetail = z.infer<typeof GroupDetail>;

export const ManagedPolicyDetail = z.object({
  Arn: z.string(),
  DefaultVersionId: z.string(),
  PolicyVersionList: z.array(z.object({ VersionId: z.string(), Document: PolicyDocument })).optional(),
});
export type ManagedPolicyDetail = z.infer<typeof ManagedPolicyDetail>;

/**
 * What `aws iam get-account-authorization-details` prints. Its lists are read entry by entry, so that one that is not
 * understood costs only itself.
 *
 * Source: IAM API Reference, GetAccountAuthorizationDetails.
 */
export const AccountDetails = z.object({
  UserDetailList: z.array(z.unknown()).default([]),
  GroupDetailList: z.array(z.unknown()).default([]),
  RoleDetailList: z.array(z.unknown()).default([]),
  Policies: z.array(z.unknown()).default([]),
  IsTruncated: z.boolean().optional(),
});
