import { collectPages } from "../shared/access/collect-pages.ts";
import { DescribeOrphans } from "../shared/contract/describe-orphans.ts";
import { serve } from "../shared/lambda/serve.ts";
import { permissionOf } from "../shared/model/grant.ts";
import type { User } from "../shared/model/user.ts";
import { getItems } from "../shared/table/get-items.ts";
import { grantsOfUser, readGrant } from "../shared/table/grants.ts";
import { keys } from "../shared/table/keys.ts";
import { readStack } from "../shared/table/stacks.ts";
import type { Table } from "../shared/table/table.ts";
import { listUsers } from "../shared/table/users.ts";

/** Who is gone from IAM and still holds a level or instance access. */
export const handler = serve(DescribeOrphans, async (call) => {
  const { table } = call.deployment;
  const { rows, ...rest } = await collectPages(call.input, async (limit, token) => {
    const { page: users, next } = await listUsers(table, limit, token);
    const gone = users.flatMap(({ GoneSince, ...user }) =>
      GoneSince === undefined ? [] : [{ ...user, GoneSince }],
    );
    const page: Orphan[] = [];
    for (let from = 0; from < gone.length; from += TOGETHER) {
      const some = await Promise.all(gone.slice(from, from + TOGETHER).map((user) => orphanOf(table, user)));
      page.push(...some.filter(({ Permissions }) => Permissions.length > 0));
    }
    return { page, next };
  });
  return { Orphans: rows, ...rest };
});

const TOGETHER = 20;

type Orphan = Awaited<ReturnType<typeof orphanOf>>;

async function orphanOf(table: Table, user: User & { GoneSince: string }) {
  const { IamUserArn, Name, SshUsername, GoneSince } = user;
  return { IamUserArn, Name, SshUsername, GoneSince, Permissions: await permissionsOf(table, user) };
}

/** What a user holds on stacks that are there; the index only says where to look. */
async function permissionsOf(table: Table, user: Pick<User, "IamUserArn" | "ProfileId">) {
  const permissions = [];
  for await (const grants of grantsOfUser(table, user.IamUserArn)) {
    const stackIds = grants.map(({ StackId }) => StackId);
    const items = await getItems(
      table,
      stackIds.flatMap((id) => [keys.stack(id), keys.grant(id, user.IamUserArn)]),
    );
    for (const StackId of stackIds) {
      const grant = readGrant(items.get(keys.grant(StackId, user.IamUserArn)));
      const isThere = readStack(items.get(keys.stack(StackId))) !== undefined;
      if (isThere && grant?.ProfileId === user.ProfileId)
        permissions.push({ StackId, ...permissionOf(user, grant) });
    }
  }
  return permissions;
}
