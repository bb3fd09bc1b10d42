import type { Stack } from "../model/stack.ts";
import { getItems } from "../table/get-items.ts";
import { readGrant } from "../table/grants.ts";
import { keys } from "../table/keys.ts";
import { listStacks, readStack } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";
import { listUsers } from "../table/users.ts";
import { collectPages, type Paging } from "./collect-pages.ts";
import { type Holder, holder, shownOf } from "./held.ts";

/** A row for each user, by the users' ARNs; grants are read from the table itself. */
export async function listPermissionsOfStack(table: Table, stack: Stack, paging: Paging) {
  const { StackId } = stack;
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const { page: users, next } = await listUsers(table, limit, token);
    const items = await getItems(
      table,
      users.map((user) => keys.grant(StackId, user.IamUserArn)),
    );
    const grant = (arn: string) => readGrant(items.get(keys.grant(StackId, arn)));
    const page = users.map((user) => ({
      StackId,
      IamUserArn: user.IamUserArn,
      ...shownOf(holder(user), stack, grant),
    }));
    return { page, next };
  });
  return { Permissions: rows, ...rest };
}

/** A row for each stack, by the stacks' names; grants are read from the table itself. */
export function listPermissionsOfUser(table: Table, holding: Holder, paging: Paging) {
  const arns = [holding.profileArn, ...(holding.user ? [holding.user.IamUserArn] : [])];
  return collectPages(paging, async (limit, token) => {
    const { page: stacks, next } = await listStacks(table, limit, token);
    const items = await getItems(
      table,
      stacks.flatMap(({ StackId }) => [keys.stack(StackId), ...arns.map((arn) => keys.grant(StackId, arn))]),
    );
    const page = stacks.flatMap(({ StackId }) => {
      const stack = readStack(items.get(keys.stack(StackId)));
      const grant = (arn: string) => readGrant(items.get(keys.grant(StackId, arn)));
      return stack ? [{ stack, shown: shownOf(holding, stack, grant) }] : [];
    });
    return { page, next };
  });
}
