import { type Grant, NO_GRANT, type Permission, permissionOf } from "../model/grant.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { getItems, type Items } from "../table/get-items.ts";
import { readGrant } from "../table/grants.ts";
import { type Key, keys } from "../table/keys.ts";
import { readStack } from "../table/stacks.ts";
import type { Table } from "../table/table.ts";
import { readUser } from "../table/users.ts";
import { policiesAsOf } from "./policies-as-of.ts";

/** Users, their grants on one stack, and that stack, as they were at one time. */
export type Snapshot = {
  /** As asked for, whether there is such a stack or not. */
  readonly stackId?: string;
  readonly stack?: Stack;
  readonly user: (userArn: string) => User | undefined;
  readonly grant: (userArn: string) => Grant | undefined;
  readonly permission: (userArn: string) => Permission;
  /** When an import last read everybody's policies; within a minute, since it is not asked for each time. */
  readonly policiesAsOf?: string;
};

export const NOTHING_READ: Snapshot = {
  user: () => undefined,
  grant: () => undefined,
  permission: () => NO_GRANT,
};

/** What a snapshot is to be of. */
export type Asked = { readonly userArns: readonly string[]; readonly stackId?: string | undefined };

/** One strongly consistent BatchGetItem for all of it. */
export async function loadSnapshot(table: Table, asked: Asked): Promise<Snapshot> {
  const [snapshot = NOTHING_READ] = await loadSnapshots(table, [asked]);
  return snapshot;
}

/** Several at once: one BatchGetItem per 100 items, each item read once. */
export async function loadSnapshots(table: Table, asked: readonly Asked[]): Promise<Snapshot[]> {
  const age = policiesAsOf(table);
  const items = await getItems(table, [...asked.flatMap(keysOf), ...age.keys]);
  const asOf = age.read(items);
  return asked.map(({ stackId }) => snapshotOf(items, stackId, asOf));
}

function keysOf({ userArns, stackId }: Asked): Key[] {
  if (stackId === undefined) return userArns.map(keys.user);
  return [
    ...userArns.map(keys.user),
    keys.stack(stackId),
    ...userArns.map((arn) => keys.grant(stackId, arn)),
  ];
}

function snapshotOf(items: Items, stackId: string | undefined, asOf: string | undefined): Snapshot {
  const stack = stackId === undefined ? undefined : readStack(items.get(keys.stack(stackId)));
  const user = once((arn) => readUser(items.get(keys.user(arn))));
  const grant = once((arn) =>
    stackId === undefined ? undefined : readGrant(items.get(keys.grant(stackId, arn))),
  );
  return {
    ...(stackId === undefined ? {} : { stackId }),
    ...(stack ? { stack } : {}),
    user,
    grant,
    permission: (arn) => permissionOf(user(arn), grant(arn)),
    ...(asOf === undefined ? {} : { policiesAsOf: asOf }),
  };
}

/** Parses what is asked for, once. */
function once<T>(read: (arn: string) => T): (arn: string) => T {
  const known = new Map<string, { readonly value: T }>();
  return (arn) => {
    const found = known.get(arn) ?? { value: read(arn) };
    known.set(arn, found);
    return found.value;
  };
}
