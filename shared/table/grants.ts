import { randomUUID } from "node:crypto";
import { Fault } from "../model/fault.ts";
import { Grant, isSamePermission, NO_GRANT, type Permission, permissionOf } from "../model/grant.ts";
import type { User } from "../model/user.ts";
import { indexKeys, keys } from "./keys.ts";
import type { Table } from "./table.ts";
import { putOver, removeAt, type Write } from "./write.ts";

export function readGrant(item: unknown): Grant | undefined {
  return item === undefined ? undefined : Grant.parse(item);
}

/**
 * Sets what a user holds on a stack, in place of the grant that was read. `iam_only` without instance access is the absence
 * of a grant, so it deletes; `undefined` when the user holds just that.
 */
export function setGrant(
  table: Table,
  user: User,
  stackId: string,
  permission: Permission,
  current: Grant | undefined,
): Write | undefined {
  if (isSamePermission(permission, permissionOf(user, current))) return undefined;
  const key = keys.grant(stackId, user.IamUserArn);
  const changed = () =>
    new Fault(
      "ConflictException",
      `the permission of ${user.IamUserArn} was changed by somebody else meanwhile, try again`,
      { transient: true },
    );
  if (isSamePermission(permission, NO_GRANT))
    return current && removeAt(table, key, current.Revision, changed);
  const grant: Grant = {
    ...permission,
    StackId: stackId,
    IamUserArn: user.IamUserArn,
    ProfileId: user.ProfileId,
    Revision: randomUUID(),
  };
  const item = { ...grant, ...indexKeys.userGrants(user.IamUserArn, stackId) };
  return putOver(table, key, item, current?.Revision, changed);
}
