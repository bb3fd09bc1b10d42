import type * as z from "zod";
import type { InstanceLogin, ToldLogin } from "../model/instance-login.ts";
import type { Stack } from "../model/stack.ts";
import { getItems } from "../table/get-items.ts";
import { readGrant } from "../table/grants.ts";
import { keys } from "../table/keys.ts";
import type { Table } from "../table/table.ts";
import { readUser } from "../table/users.ts";
import { heldBy, holder } from "./held.ts";

/** The temporary logins that still count: of who lost SSH/RDP since, has the level `deny` now, or was deleted, none does. */
export async function loginsOfInstance(
  table: Table,
  stack: Stack,
  logins: readonly InstanceLogin[],
): Promise<z.infer<typeof ToldLogin>[]> {
  const items = await getItems(
    table,
    logins.flatMap(({ IamUserArn }) => [keys.user(IamUserArn), keys.grant(stack.StackId, IamUserArn)]),
  );
  return logins
    .filter(({ IamUserArn, ProfileId }) => {
      const user = readUser(items.get(keys.user(IamUserArn)));
      const grant = readGrant(items.get(keys.grant(stack.StackId, IamUserArn)));
      if (user?.ProfileId !== ProfileId) return false;
      const { AllowSsh, Level } = heldBy(holder(user), stack, () => grant);
      return AllowSsh && Level !== "deny";
    })
    .map(({ Username, EncryptedPassword, Administrator, ExpiresAt }) => ({
      username: Username,
      encrypted_password: EncryptedPassword,
      administrator_privileges: Administrator,
      expires_at: new Date(ExpiresAt * 1000).toISOString(),
    }));
}
