import { readPrincipal } from "../model/principal.ts";
import { readGroups, writeGroups } from "../table/groups.ts";
import { everyPage } from "../table/list.ts";
import type { Table } from "../table/table.ts";
import { listUsers } from "../table/users.ts";
import type { PolicyFindings } from "./examination.ts";
import type { Account } from "./resolve-account.ts";
import { writeDocuments, writeUsers } from "./write-users.ts";

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
const TOGETHER = 100;

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
  await writeDocuments(table, account.documents);
  // A snapshot may be a part of the account: it adds groups, and takes none away.
  if (account.groups.length > 0)
    await writeGroups(table, [...((await readGroups(table)) ?? []), ...account.groups]);
  for (let done = 0; done < account.users.length; done += TOGETHER) {
    const users = account.users.slice(done, done + TOGETHER);
    const outcomes = await writeUsers(table, users, options);
    users.forEach(({ IamUserArn }, index) => {
      const outcome = outcomes[index];
      if (outcome && outcome !== "absent") report[outcome].push(IamUserArn);
    });
    options.onProgress?.(done + users.length, account.users.length);
  }
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
