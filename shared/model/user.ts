import * as z from "zod";

/** A policy that applies to a user: the document is kept once, under its hash, however many users share it. */
export const PolicyRef = z.union([
  z.object({ Name: z.string(), Hash: z.string() }),
  /** Attached, but its document is missing or cannot be read; `Unreadable` says why. */
  z.object({ Name: z.string(), Unreadable: z.string() }),
]);
export type PolicyRef = z.infer<typeof PolicyRef>;

/**
 * A person or application that was imported or created here. `ProfileId` is made anew with each profile, so that what an
 * earlier user of the same name was given counts for nobody.
 */
export const User = z.object({
  /** For a role: its ARN without the path. */
  IamUserArn: z.string(),
  Name: z.string(),
  Kind: z.enum(["user", "role", "federated", "person"]),
  ProfileId: z.string(),
  /** IAM's own unique id (`AIDA...`, `AROA...`), if known. */
  UserId: z.string().optional(),
  /** Of a role: its ARN with the path. */
  RoleArn: z.string().optional(),
  /** Of a role: whether EC2 may assume it, so that its sessions can be applications on instances. */
  TrustsEc2: z.boolean().optional(),
  /** Of a role: who may assume it. */
  TrustPolicy: PolicyRef.optional(),
  /** Of a role: the ARNs of the instance profiles that hold it. */
  InstanceProfiles: z.array(z.string()).optional(),
  Groups: z.array(z.string()),
  /** IAM's unique ids of these groups, by name, as far as they are known. */
  GroupIds: z.record(z.string(), z.string()).optional(),
  Policies: z.array(PolicyRef),
  Boundary: PolicyRef.optional(),
  Tags: z.record(z.string(), z.string()),
  SshUsername: z.string().optional(),
  /** Given when the user first gets SSH, and to nobody else ever. */
  UnixId: z.number().optional(),
  SshPublicKey: z.string().optional(),
  AllowSelfManagement: z.boolean(),
  /** Since when IAM has no such user or role any more, as far as an import saw. ISO 8601. */
  GoneSince: z.string().optional(),
  CreatedAt: z.string(),
  /** The import job that last wrote this user, and as what, so that a job which is interrupted counts right when it goes on. */
  LastImport: z.object({ Id: z.string(), As: z.enum(["added", "changed"]) }).optional(),
  /** The profile in another region that this one was taken from; `Settings` is the hash of what was taken. */
  ReplacedFrom: z.object({ Region: z.string(), ProfileId: z.string(), Settings: z.string() }).optional(),
  Revision: z.string(),
});
export type User = z.infer<typeof User>;

/**
 * What is IAM's of a user, not ours to forget: a profile that is deleted and made again here has the same policies, boundary and
 * identity, or deleting it would be a way out of a Deny.
 */
export const IamFacts = User.pick({
  UserId: true,
  RoleArn: true,
  TrustsEc2: true,
  TrustPolicy: true,
  InstanceProfiles: true,
  Groups: true,
  GroupIds: true,
  Policies: true,
  Boundary: true,
  Tags: true,
  GoneSince: true,
});
export type IamFacts = z.infer<typeof IamFacts>;
