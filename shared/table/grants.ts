import { randomUUID } from "node:crypto";
import { Fault } from "../model/fault.ts";
import { Grant, isSamePermission, NO_GRANT, type Permission, permissionOf } from "../model/grant.ts";
import type { User } from "../model/user.ts";
import { getItems } from "./get-items.ts";
import { INDEX, indexKeys, keys } from "./keys.ts";
import { queryPages } from "./list.ts";
import type { Table } from "./table.ts";
import { mustBe, put, putOver, removeAt, type Write } from "./write.ts";

const Revised = Grant.pick({ Revision: true });

/** How long it is kept that there was a grant, in seconds: longer than any request can be on its way. */
const REMEMBERED = 3600;

export function readGrant(item: unknown): Grant | undefined {
  return item === undefined ? undefined : Grant.parse(item);
}

/**
 * Sets what a user holds on a stack, in place of the grant that was read; `undefined` when the user holds just that. `iam_only` without
 * instance access is the absence of a grant. One that is taken away stays a while without anything in it, so that whoever saw none
 * before it was given, and is late, does not take its absence for what they saw.
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
  const changed = () => changedMeanwhile(user.IamUserArn);
  const grant: Grant = {
    ...permission,
    StackId: stackId,
    IamUserArn: user.IamUserArn,
    ProfileId: user.ProfileId,
    Revision: randomUUID(),
  };
  const isNone = isSamePermission(permission, NO_GRANT);
  const rest = isNone
    ? { ExpiresAt: Math.floor(Date.now() / 1000) + REMEMBERED }
    : indexKeys.userGrants(user.IamUserArn, stackId);
  const item = { ...grant, ...rest };
  return putOver(table, key, item, current?.Revision, changed);
}

/** The grant is to be as it was read. */
export function grantMustBe(table: Table, { StackId, IamUserArn, Revision }: Grant): Write {
  return mustBe(table, keys.grant(StackId, IamUserArn), Revision, () => changedMeanwhile(IamUserArn));
}

/** Gives the grants on a stack a new revision; whoever changes one does, or changes the stack itself, so that a copy sees that they are no longer what it read. */
export function touchGrants(table: Table, stackId: string): Write {
  return put(table, keys.grants(stackId), { Revision: randomUUID() });
}

/** The revision of the grants on a stack; `undefined` as long as nobody was given any. */
export async function readGrantsRevision(table: Table, stackId: string): Promise<string | undefined> {
  const key = keys.grants(stackId);
  return Revised.optional().parse((await getItems(table, [key])).get(key))?.Revision;
}

/** No grant on the stack has changed since that revision was read. */
export function grantsMustBe(table: Table, stackId: string, revision: string | undefined): Write {
  const changed = () =>
    new Fault(
      "ConflictException",
      `the permissions on stack ${stackId} were changed by somebody else meanwhile, try again`,
      { transient: true },
    );
  return mustBe(table, keys.grants(stackId), revision, changed);
}

/** Takes away a grant as it was read. */
export function removeGrant(table: Table, { StackId, IamUserArn, Revision }: Grant): Write {
  return removeAt(table, keys.grant(StackId, IamUserArn), Revision, () => changedMeanwhile(IamUserArn));
}

/** The grants on a stack, page after page, read consistently; of users who are no longer the same, too. */
export async function* grantsOfStack(table: Table, stackId: string): AsyncGenerator<Grant[]> {
  const { pk, sk } = keys.grant(stackId, "");
  const query = {
    KeyConditionExpression: "pk = :stack AND begins_with(sk, :grant)",
    ExpressionAttributeValues: { ":stack": pk, ":grant": sk },
    ConsistentRead: true,
  };
  for await (const items of queryPages(table, query)) yield items.map((item) => Grant.parse(item));
}

/** The grants of a user's name, page after page: candidates, from the index; of earlier users of that name, too. */
export async function* grantsOfUser(table: Table, userArn: string): AsyncGenerator<Grant[]> {
  const query = {
    IndexName: INDEX,
    KeyConditionExpression: "gsi1pk = :user",
    ExpressionAttributeValues: { ":user": indexKeys.userGrants(userArn, "").gsi1pk },
  };
  for await (const items of queryPages(table, query)) yield items.map((item) => Grant.parse(item));
}

function changedMeanwhile(userArn: string): Fault {
  return new Fault(
    "ConflictException",
    `the permission of ${userArn} was changed by somebody else meanwhile, try again`,
    { transient: true },
  );
}
