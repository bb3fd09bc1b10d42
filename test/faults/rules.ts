import { ADMINISTRATOR, IN_TEAM, LOOKER, TEAM, type Wire } from "./world.ts";
import { type Permission, type Profile, profileIn, type StackState } from "./states.ts";

/** The service's rules once more, as plainly as they can be said: what a model holds it to. The levels that allow something, the weakest first. */
export const RANK = ["iam_only", "show", "deploy", "manage"];

export function stronger(own: string, group: string): string {
  if (own === "deny" || group === "deny") return "deny";
  return RANK.indexOf(group) > RANK.indexOf(own) ? group : own;
}

const NEEDED: Record<string, string> = {
  "opsworks:DescribeStacks": "show",
  "opsworks:CreateDeployment": "deploy",
  "opsworks:CreateLayer": "manage",
};

export function allows(arn: string, level: string, action: string): boolean {
  if (level === "deny") return false;
  if (arn === ADMINISTRATOR || (arn === LOOKER && action.includes(":Describe"))) return true;
  return RANK.indexOf(level) >= RANK.indexOf(NEEDED[action] ?? "");
}

/** What is left out stays; SSH/RDP off turns sudo/admin off. */
export function changed(before: Permission, input: Partial<Permission>): Permission {
  const AllowSsh = input.AllowSsh ?? before.AllowSsh;
  const AllowSudo = input.AllowSudo ?? (AllowSsh && before.AllowSudo);
  return { Level: input.Level ?? before.Level, AllowSsh, AllowSudo };
}

export function profileAfter({ Operation, Before, After }: Wire, input: Wire): Profile | undefined {
  if (Operation === "DeleteUserProfile") return undefined;
  const { SshUsername, SshPublicKey, AllowSelfManagement } = { ...Before, ...input };
  return profileIn({
    // One that nobody chose is made from the name.
    SshUsername: SshUsername ?? After.SshUsername,
    SshPublicKey: SshPublicKey === "" ? undefined : SshPublicKey,
    AllowSelfManagement: AllowSelfManagement ?? false,
  });
}

/** The level that somebody has of their group. */
export function groupOf(arn: string, { groups }: StackState): string {
  return IN_TEAM.has(arn) ? (groups[TEAM] ?? "iam_only") : "iam_only";
}

/** Whether somebody may log in to the servers of a stack. */
export function isIn({ own, level }: { readonly own: Permission; readonly level: string }): boolean {
  return own.AllowSsh && level !== "deny";
}

/** As an instance is told of somebody: without the key's comment. */
export function isShown({ SshUsername, SshPublicKey }: Profile, row: Wire): boolean {
  const key = SshPublicKey?.split(" ").slice(0, 2).join(" ");
  return row?.username === SshUsername && row?.ssh_public_key === key;
}
