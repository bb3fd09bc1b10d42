import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { Fault } from "../model/fault.ts";
import { readPrincipal } from "../model/principal.ts";
import type { User } from "../model/user.ts";
import { faultOfAws } from "../table/aws-fault.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { keys } from "../table/keys.ts";
import { everyPage } from "../table/list.ts";
import { getPolicies, putPolicy } from "../table/policies.ts";
import { claimSshUsername, freeSshUsername } from "../table/ssh-usernames.ts";
import type { Table } from "../table/table.ts";
import { listUsers, putUser, readUser } from "../table/users.ts";
import { transact } from "../table/write.ts";
import type { PolicyFindings } from "./examination.ts";
import type { Account, AccountUser } from "./resolve-account.ts";

/** What an import did, by ARN. */
export type ImportReport = {
  readonly added: string[];
  readonly changed: string[];
  readonly unchanged: string[];
  /** In the table, of the same account, and not in this snapshot; they are kept as they are. */
  readonly vanished: string[];
  readonly notUnderstood: readonly string[];
  readonly findings: readonly PolicyFindings[];
};

const PAGE = 500;
const TOGETHER = 20;
const MAX_TRIES = 10;

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
    findings: account.findings,
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
        const item = items.get(keys.user(given.IamUserArn));
        report[await importUser(table, given, readUser(item), options)].push(given.IamUserArn);
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
  const users = await everyPage((token) => listUsers(table, PAGE, token));
  return users
    .filter(({ IamUserArn, UserId }) => UserId !== undefined && accounts.has(accountOf(IamUserArn)))
    .map(({ IamUserArn }) => IamUserArn)
    .filter((arn) => !present.has(arn));
}

/** Another unique id; one that is not known is none. */
function isSomebodyElse({ UserId: had }: User, { UserId: has }: AccountUser): boolean {
  return had !== undefined && has !== undefined && had !== has;
}

/** The profile as it is to be; the current one itself when nothing changes. */
function merge(current: User | undefined, given: AccountUser, now: Date): User {
  const isSame = current !== undefined && !isSomebodyElse(current, given);
  const kept = isSame
    ? {
        ProfileId: current.ProfileId,
        ...(current.UserId === undefined ? {} : { UserId: given.UserId ?? current.UserId }),
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

/** Writes one user, again from reading on when somebody else is in the way or the table is busy. */
async function importUser(
  table: Table,
  given: AccountUser,
  read: User | undefined,
  options: { readonly caller: string; readonly now: Date },
): Promise<"added" | "changed" | "unchanged"> {
  let current = read;
  for (let tries = 1; ; tries += 1) {
    const user = merge(current, given, options.now);
    if (user === current) return "unchanged";
    try {
      await write(table, user, current, options);
      return current ? "changed" : "added";
    } catch (error) {
      const fault = error instanceof Fault ? error : faultOfAws(error);
      const mayPass = fault?.transient || fault?.name === "ThrottlingException";
      if (!mayPass || tries === MAX_TRIES) throw error;
      await sleep(Math.random() * Math.min(20 * 2 ** tries, 2000));
      const key = keys.user(given.IamUserArn);
      current = readUser((await getItems(table, [key])).get(key));
    }
  }
}

async function write(
  table: Table,
  user: User,
  current: User | undefined,
  { caller, now }: { readonly caller: string; readonly now: Date },
): Promise<void> {
  const name =
    user.SshUsername ?? (user.Kind === "user" ? await freeSshUsername(table, user.Name) : undefined);
  const isNewName = name !== undefined && name !== current?.SshUsername;
  await transact(table, [
    putUser(table, name === undefined ? user : { ...user, SshUsername: name }, current?.Revision),
    ...(isNewName ? [claimSshUsername(table, name, user, true)] : []),
    appendEvent(table, {
      EventId: randomUUID(),
      Time: now.toISOString(),
      Operation: "ImportUsers",
      Caller: caller,
      IamUserArn: user.IamUserArn,
      ...(current ? { Before: shownInEvent(current) } : {}),
      After: shownInEvent(user),
    }),
  ]);
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
