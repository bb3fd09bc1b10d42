import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Fault } from "../model/fault.ts";
import { readPrincipal } from "../model/principal.ts";
import type { User } from "../model/user.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { keys } from "../table/keys.ts";
import { getPolicies, putPolicy } from "../table/policies.ts";
import { claimSshUsername, freeSshUsername } from "../table/ssh-usernames.ts";
import type { Table } from "../table/table.ts";
import { listUsers, putUser, readUser } from "../table/users.ts";
import { transact } from "../table/write.ts";
import type { Account, AccountUser } from "./resolve-account.ts";

/** What an import did, by ARN. */
export type ImportReport = {
  readonly added: string[];
  readonly changed: string[];
  readonly unchanged: string[];
  /** In the table, of the same account, and not in this snapshot; they are kept as they are. */
  readonly vanished: string[];
  readonly notUnderstood: readonly string[];
};

const PAGE = 500;
const TOGETHER = 20;
const MAX_TRIES = TOGETHER;

/**
 * Writes an account's users and roles to the table. A user who is there already keeps levels, SSH settings and
 * self-management; somebody else under an old name (another `UserId`) starts with nothing. Nobody is removed; who is gone is named.
 * It can be run again at any time: what is written already is unchanged.
 */
export async function importAccount(
  table: Table,
  account: Account,
  options: {
    readonly caller: string;
    readonly now: Date;
    readonly onProgress?: (done: number, of: number) => void;
  },
): Promise<ImportReport> {
  const report: ImportReport = {
    added: [],
    changed: [],
    unchanged: [],
    vanished: await vanishedFrom(table, account),
    notUnderstood: account.notUnderstood,
  };
  await inGroups([...account.documents], async (documents) => {
    const kept = await getPolicies(
      table,
      documents.map(([hash]) => hash),
    );
    const missing = documents.filter(([hash]) => !kept.has(hash));
    await Promise.all(missing.map(([, document]) => putPolicy(table, document)));
  });
  let done = 0;
  await inGroups(account.users, async (users) => {
    const items = await getItems(
      table,
      users.map(({ IamUserArn }) => keys.user(IamUserArn)),
    );
    await Promise.all(
      users.map(async (given) => {
        const current = readUser(items.get(keys.user(given.IamUserArn)));
        const user = merge(current, given, options.now);
        report[user === current ? "unchanged" : current ? "changed" : "added"].push(given.IamUserArn);
        if (user !== current) await write(table, user, current, options);
      }),
    );
    done += users.length;
    options.onProgress?.(done, account.users.length);
  });
  return report;
}

/** Who was imported from these accounts before, and is not there now. */
async function vanishedFrom(table: Table, account: Account): Promise<string[]> {
  const accountOf = (arn: string) => readPrincipal(arn)?.accountId;
  const present = new Set(account.users.map(({ IamUserArn }) => IamUserArn));
  const accounts = new Set(account.users.map(({ IamUserArn }) => accountOf(IamUserArn)));
  const vanished: string[] = [];
  let token: string | undefined;
  do {
    const { users, next } = await listUsers(table, PAGE, token);
    for (const { IamUserArn, UserId } of users) {
      const isImported = UserId !== undefined && accounts.has(accountOf(IamUserArn));
      if (isImported && !present.has(IamUserArn)) vanished.push(IamUserArn);
    }
    token = next;
  } while (token !== undefined);
  return vanished;
}

/** The profile as it is to be; the current one itself when nothing changes. */
function merge(current: User | undefined, given: AccountUser, now: Date): User {
  const isSame = current !== undefined && (current.UserId === undefined || current.UserId === given.UserId);
  const kept = isSame
    ? {
        ProfileId: current.ProfileId,
        AllowSelfManagement: current.AllowSelfManagement,
        CreatedAt: current.CreatedAt,
        ...(current.UnixId === undefined ? {} : { UnixId: current.UnixId }),
        ...(current.SshPublicKey === undefined ? {} : { SshPublicKey: current.SshPublicKey }),
      }
    : { ProfileId: randomUUID(), AllowSelfManagement: false, CreatedAt: now.toISOString() };
  // A login name goes with the ARN: whoever has it now keeps it, and it is no right by itself.
  const name = current?.SshUsername === undefined ? {} : { SshUsername: current.SshUsername };
  const merged = { ...given, ...kept, ...name, Revision: current?.Revision ?? "" };
  return current && isDeepStrictEqual({ ...merged }, { ...current })
    ? current
    : { ...merged, Revision: randomUUID() };
}

async function write(
  table: Table,
  user: User,
  current: User | undefined,
  { caller, now }: { readonly caller: string; readonly now: Date },
): Promise<void> {
  const event = {
    EventId: randomUUID(),
    Time: now.toISOString(),
    Operation: "ImportUsers",
    Caller: caller,
    IamUserArn: user.IamUserArn,
    ...(current ? { Before: shownInEvent(current) } : {}),
    After: shownInEvent(user),
  };
  for (let tries = 1; ; tries += 1) {
    const name =
      user.SshUsername ?? (user.Kind === "user" ? await freeSshUsername(table, user.Name) : undefined);
    const isNew = name !== undefined && name !== current?.SshUsername;
    try {
      await transact(table, [
        putUser(table, name === undefined ? user : { ...user, SshUsername: name }, current?.Revision),
        ...(isNew ? [claimSshUsername(table, name, user)] : []),
        appendEvent(table, event),
      ]);
      return;
    } catch (error) {
      // Two users whose names lead to the same login name: one was faster, the other takes the next.
      if (!isNew || !(error instanceof Fault && error.name === "ConflictException") || tries === MAX_TRIES)
        throw error;
    }
  }
}

function shownInEvent({ UserId, ProfileId, Groups, Policies, Boundary }: User) {
  return { UserId, ProfileId, Groups, Policies, Boundary };
}

async function inGroups<T>(
  items: readonly T[],
  work: (group: readonly T[]) => Promise<unknown>,
): Promise<void> {
  for (let from = 0; from < items.length; from += TOGETHER) await work(items.slice(from, from + TOGETHER));
}
