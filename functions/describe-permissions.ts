import { listPermissionsOfStack, listPermissionsOfUser } from "../shared/access/list-permissions.ts";
import { DescribePermissions } from "../shared/contract/describe-permissions.ts";
import { serve } from "../shared/lambda/serve.ts";
import { noSuchUser } from "../shared/table/users.ts";

/** Who holds what: on a stack, of a user, or of one user on one stack. Users without a stored grant have their row too. */
export const handler = serve(DescribePermissions, async (call) => {
  const { StackId, IamUserArn, ...paging } = call.input;
  const { table } = call.deployment;
  if (IamUserArn === undefined) return listPermissionsOfStack(table, StackId ?? "", paging);
  const user = call.snapshot.user(IamUserArn);
  if (!user) throw noSuchUser(IamUserArn);
  if (StackId === undefined) {
    const { rows, ...rest } = await listPermissionsOfUser(table, user, paging);
    return {
      Permissions: rows.map(({ stack, permission }) => ({
        StackId: stack.StackId,
        IamUserArn,
        ...permission,
      })),
      ...rest,
    };
  }
  return { Permissions: [{ StackId, IamUserArn, ...call.snapshot.permission(IamUserArn) }] };
});
