import { type Permission, permissionOf } from "../model/grant.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { getItems } from "../table/get-items.ts";
import { readGrant } from "../table/grants.ts";
import { keys } from "../table/keys.ts";
import { listStacks } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";
import { listUsers } from "../table/users.ts";
import { collectPages, type Paging } from "./collect-pages.ts";

/** A row for each user, by the users' ARNs; grants are read from the table itself. */
export async function listPermissionsOfStack(table: Table, stackId: string, paging: Paging) {
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const { page: users, next } = await listUsers(table, limit, token);
    const items = await getItems(
      table,
      users.map((user) => keys.grant(stackId, user.IamUserArn)),
    );
    const page = users.map((user) => ({
      StackId: stackId,
      IamUserArn: user.IamUserArn,
      ...permissionOf(user, readGrant(items.get(keys.grant(stackId, user.IamUserArn)))),
    }));
    return { page, next };
  });
  return { Permissions: rows, ...rest };
}

/** A row for each stack, by the stacks' names; grants are read from the table itself. */
export function listPermissionsOfUser(table: Table, user: User, paging: Paging) {
  return collectPages(paging, async (limit, token) => {
    const { page: stacks, next } = await listStacks(table, limit, token);
    const items = await getItems(
      table,
      stacks.map((stack) => keys.grant(stack.StackId, user.IamUserArn)),
    );
    const page = stacks.map((stack): { stack: Stack; permission: Permission } => ({
      stack,
      permission: permissionOf(user, readGrant(items.get(keys.grant(stack.StackId, user.IamUserArn)))),
    }));
    return { page, next };
  });
}
