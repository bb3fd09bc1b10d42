import type { Grant } from "../model/grant.ts";
import { type InstanceUser, instanceUser } from "../model/instance-user.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { getItems } from "../table/get-items.ts";
import { grantsOfStack } from "../table/grants.ts";
import { keys } from "../table/keys.ts";
import type { Table } from "../table/table.ts";
import { readUser } from "../table/users.ts";
import { heldBy, holder } from "./held.ts";

/**
 * Who may log in to the servers of a stack now, in the order of their Unix ids. Somebody whom IAM no longer has is still among them, as in
 * OpsWorks, until their profile is deleted; somebody with the level `deny`, their own or a group's, is not.
 */
export async function usersOfInstance(table: Table, stack: Stack): Promise<InstanceUser[]> {
  const users: InstanceUser[] = [];
  for await (const grants of grantsOfStack(table, stack.StackId)) {
    const withSsh = grants.filter(({ AllowSsh }) => AllowSsh);
    const items = await getItems(
      table,
      withSsh.map(({ IamUserArn }) => keys.user(IamUserArn)),
    );
    for (const grant of withSsh) {
      const user = readUser(items.get(keys.user(grant.IamUserArn)));
      const told = user && toldOf(user, stack, grant);
      if (told) users.push(told);
    }
  }
  return users.toSorted((a, b) => a.unix_user_id - b.unix_user_id);
}

function toldOf(user: User, stack: Stack, grant: Grant): InstanceUser | undefined {
  const { AllowSsh, AllowSudo, Level } = heldBy(holder(user), stack, () => grant);
  return AllowSsh && Level !== "deny" ? instanceUser(user, AllowSudo) : undefined;
}
