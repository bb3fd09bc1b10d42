import { readFile } from "node:fs/promises";
import { type Account, resolveAccount } from "../shared/account/resolve-account.ts";
import type { ImportReport } from "../shared/account/import-account.ts";
import { readJson } from "../shared/iam/json.ts";

const MAX_FILE = 400_000_000;

/** An account from the file that `aws iam get-account-authorization-details` wrote. @throws Error that names the file */
export async function readAccount(file: string): Promise<Account> {
  try {
    const account = resolveAccount(readJson(await readFile(file, "utf8"), MAX_FILE));
    if (account.users.length > 0 || account.notUnderstood.length > 0) return account;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : "unreadable"}`, { cause: error });
  }
  throw new Error(
    `${file} has no users: it should be the output of \`aws iam get-account-authorization-details\``,
  );
}

/** The summary of an import, for people. */
export function summarize({ added, changed, unchanged, notUnderstood }: ImportReport): string {
  const counts = `${added.length} added, ${changed.length} changed, ${unchanged.length} unchanged`;
  if (notUnderstood.length === 0) return `${counts}; everything was understood`;
  return [
    `${counts}; not understood, and denied until it is mended:`,
    ...notUnderstood.map((sentence) => `  - ${sentence}`),
  ].join("\n");
}
