import { listPermissionsOfStack, listPermissionsOfUser } from "../shared/access/list-permissions.ts";
import { DescribePermissions } from "../shared/contract/describe-permissions.ts";
import { authorizeOnStacks } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchUser } from "../shared/table/users.ts";

/** Who holds what: on a stack, of a user, or of one user on one stack. Users without a stored grant have their row too. */
export const handler = serve(DescribePermissions, async (call) => {
  const { StackId, IamUserArn, ...paging } = call.input;
  const { table } = call.deployment;
  const { user, permission } = call.snapshot;
  if (StackId !== undefined && IamUserArn === undefined)
    return listPermissionsOfStack(table, StackId, paging);
  const found = IamUserArn === undefined ? undefined : user(IamUserArn);
  if (!found) throw noSuchUser(IamUserArn ?? "");
  const { IamUserArn: arn } = found;
  if (StackId !== undefined) return { Permissions: [{ StackId, IamUserArn: arn, ...permission(arn) }] };

  const { rows, ...rest } = await listPermissionsOfUser(table, found, paging);
  const stackIds = rows.map(({ stack }) => stack.StackId);
  await authorizeOnStacks(call, "opsworks:DescribePermissions", stackIds);
  const Permissions = rows.map((row) => ({ StackId: row.stack.StackId, IamUserArn: arn, ...row.permission }));
  return { Permissions, ...rest };
});
