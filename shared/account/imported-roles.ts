import { readPrincipal } from "../model/principal.ts";
import type { PolicyRef, User } from "../model/user.ts";
import { getItems } from "../table/get-items.ts";
import { readRoleOfProfile } from "../table/instance-profiles.ts";
import { keys } from "../table/keys.ts";
import { getPolicies } from "../table/policies.ts";
import type { Table } from "../table/table.ts";
import { readUser } from "../table/users.ts";
import type { InstanceProfileFacts, PolicyText, RoleFacts } from "./role-facts.ts";

/** A role of that name as the last import saw it: `undefined`, it was gone; `unknown`, no import saw it. */
export async function importedRole(table: Table, arn: string): Promise<RoleFacts | undefined | "unknown"> {
  const userArn = readPrincipal(arn)?.userArn;
  const role = userArn === undefined ? undefined : await readRole(table, userArn);
  if (!role) return "unknown";
  return role.GoneSince === undefined ? factsOf(table, role) : undefined;
}

/** An instance profile, likewise. One that holds no role is in no role's details, so it was not seen. */
export async function importedInstanceProfile(
  table: Table,
  arn: string,
): Promise<InstanceProfileFacts | undefined | "unknown"> {
  const userArn = await readRoleOfProfile(table, arn);
  const role = userArn === undefined ? undefined : await readRole(table, userArn);
  if (!role?.InstanceProfiles?.includes(arn)) return "unknown";
  if (role.GoneSince !== undefined) return { Arn: arn };
  const Role = await factsOf(table, role);
  return Role === "unknown" ? Role : { Arn: arn, Role };
}

async function readRole(table: Table, userArn: string): Promise<User | undefined> {
  return readUser((await getItems(table, [keys.user(userArn)])).get(keys.user(userArn)));
}

async function factsOf(
  table: Table,
  { RoleArn: Arn, TrustPolicy, Policies }: User,
): Promise<RoleFacts | "unknown"> {
  if (Arn === undefined || !TrustPolicy) return "unknown";
  const hashes = [TrustPolicy, ...Policies].flatMap((ref) => ("Hash" in ref ? [ref.Hash] : []));
  const texts = await getPolicies(table, hashes);
  const textOf = (ref: PolicyRef): PolicyText => {
    if ("Unreadable" in ref) return ref;
    const Text = texts.get(ref.Hash);
    return Text === undefined
      ? { Name: ref.Name, Unreadable: "its document is lost" }
      : { Name: ref.Name, Text };
  };
  return { Arn, Trust: textOf(TrustPolicy), Policies: Policies.map(textOf) };
}
