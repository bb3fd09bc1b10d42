import * as z from "zod";

const MAX_LENGTH = 32;

/**
 * Accounts that a server has already, or that its images log people in by: nobody's name here, since what is done to the
 * account would be done to the server. `ALL` is everybody's name in a sudoers file.
 */
const TAKEN = new Set(
  (
    "root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody halt shutdown " +
    "operator ftp sshd messagebus systemd-network systemd-resolve systemd-timesync dbus chrony rpc rpcuser ntp tss " +
    "postfix adm wheel sudo admin administrator guest ec2-user ec2-instance-connect ssm-user ubuntu debian centos fedora rocky " +
    "bitnami core aws opsworks stackwarden all"
  ).split(" "),
);

/**
 * The login name on servers: letters, digits, `-` and `_`; other characters are removed (`my.name` becomes `myname`).
 *
 * Source: OpsWorks API Reference, CreateUserProfile.
 */
export const SshUsername = z
  .string()
  .min(1)
  .max(256)
  .transform((text, context) => {
    const name = /[\p{Cc}\p{Cs}]/u.test(text) ? undefined : cleanSshUsername(text);
    if (name === undefined) {
      const message =
        "must have letters or digits, at most 32, begin with a letter or `_`, and be no system account";
      context.issues.push({ code: "custom", message, input: text });
      return z.NEVER;
    }
    return name;
  });

/** The name without what a login name cannot have; `undefined` when what is left is none. */
function cleanSshUsername(text: string): string | undefined {
  const name = text.replaceAll(/[^A-Za-z0-9_-]/g, "");
  const isName = /^[A-Za-z_][A-Za-z0-9_-]*$/.test(name) && name.length <= MAX_LENGTH;
  return isName && !TAKEN.has(name.toLowerCase()) ? name : undefined;
}

/** Names to try for a user who chose none: from the IAM name, then with a number behind. */
export function* derivedSshUsernames(iamName: string): Generator<string> {
  const cleaned = iamName.replaceAll(/[^A-Za-z0-9_-]/g, "").replace(/^[^A-Za-z_]+/, "");
  const base =
    cleanSshUsername(cleaned.slice(0, MAX_LENGTH)) ??
    cleanSshUsername(`u_${cleaned}`.slice(0, MAX_LENGTH)) ??
    "user";
  yield base;
  for (let number = 2; ; number += 1) yield `${base.slice(0, MAX_LENGTH - 6)}${number}`;
}
