import { createHash } from "node:crypto";
import * as z from "zod";
import type { User } from "./user.ts";

/**
 * A user as a server is told of them, in the member names that OpsWorks had. It ends up in account names, key files and sudoers, so what
 * is in it has no character that means anything there.
 *
 * Source: OpsWorks User Guide, "Users and SSH keys: the data bag of users".
 */
export const InstanceUser = z.object({
  username: z.string().regex(/^[A-Za-z_][A-Za-z0-9_-]{0,31}$/),
  unix_user_id: z.int().min(2000).max(4000),
  /** Type and base64, without a comment. Without a key, nobody gets in. */
  ssh_public_key: z
    .string()
    .regex(/^[a-z0-9-]{1,64} [A-Za-z0-9+/]+={0,2}$/)
    .optional(),
  administrator_privileges: z.boolean(),
  remote_access: z.literal(true),
  iam_user_arn: z.string(),
});
export type InstanceUser = z.infer<typeof InstanceUser>;

/** @returns `undefined` for somebody who cannot have an account on a server */
export function instanceUser(
  { SshUsername, UnixId, SshPublicKey, IamUserArn }: User,
  allowSudo: boolean,
): InstanceUser | undefined {
  const [type, key] = (SshPublicKey ?? "").split(" ");
  return InstanceUser.safeParse({
    username: SshUsername,
    unix_user_id: UnixId,
    ...(type && key ? { ssh_public_key: `${type} ${key}` } : {}),
    administrator_privileges: allowSudo,
    remote_access: true,
    iam_user_arn: IamUserArn,
  }).data;
}

/** The user on one line, for a shell without a JSON parser: name, Unix id, sudo (0 or 1), key. */
export function lineOf(user: InstanceUser): string {
  const sudo = user.administrator_privileges ? 1 : 0;
  return `${user.username}\t${user.unix_user_id}\t${sudo}\t${user.ssh_public_key ?? ""}\n`;
}

/** The same for the same content. */
export function tagOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content)).digest("base64url");
}
