import { holder, type Shown, shownOf } from "../shared/access/held.ts";
import { listPermissionsOfStack, listPermissionsOfUser } from "../shared/access/list-permissions.ts";
import { DescribePermissions } from "../shared/contract/describe-permissions.ts";
import { authorizeOnStacks } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import type { Stack } from "../shared/model/stack.ts";
import { versionOf } from "../shared/model/version.ts";
import { noSuchUser } from "../shared/table/users.ts";

/** Who holds what: on a stack, of a user, or of one user on one stack. Users without a stored grant have their row too. */
export const handler = serve(DescribePermissions, async (call) => {
  const { StackId: _stackId, IamUserArn, ...paging } = call.input;
  const { table } = call.deployment;
  const { stack, user, grant } = call.snapshot;
  if (stack && IamUserArn === undefined) {
    return { ...(await listPermissionsOfStack(table, stack, paging)), ...groupPermissions(stack) };
  }
  const found = IamUserArn === undefined ? undefined : user(IamUserArn);
  if (!found) throw noSuchUser(IamUserArn ?? "");
  const row = ({ StackId }: Stack, shown: Shown) => ({ StackId, IamUserArn: found.IamUserArn, ...shown });
  if (stack) return { Permissions: [row(stack, shownOf(holder(found), stack, grant))] };

  const { rows, ...rest } = await listPermissionsOfUser(table, holder(found), paging);
  const stackIds = rows.map(({ stack: { StackId } }) => StackId);
  await authorizeOnStacks(call, "opsworks:DescribePermissions", stackIds);
  return { Permissions: rows.map(({ stack: on, shown }) => row(on, shown)), ...rest };
});

/** The levels of groups on a stack by their names, where there are any. */
function groupPermissions({ StackId, GroupGrants = {} }: Stack) {
  const rows = Object.entries(GroupGrants).map(([GroupName, grant]) => ({
    StackId,
    GroupName,
    Level: grant.Level,
    Version: versionOf(grant),
  }));
  return rows.length === 0
    ? {}
    : { GroupPermissions: rows.toSorted((a, b) => (a.GroupName < b.GroupName ? -1 : 1)) };
}
