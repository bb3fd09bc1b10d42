import { readFile } from "node:fs/promises";
import { type Account, resolveAccount } from "../shared/account/resolve-account.ts";
import type { ImportReport } from "../shared/account/import-account.ts";
import { actionNames } from "../shared/decision/levels.ts";
import { InvalidPolicy } from "../shared/iam/invalid-policy.ts";
import { readJson } from "../shared/iam/json.ts";
import type { PolicyFinding } from "../shared/iam/validate.ts";

const MAX_FILE = 400_000_000;

const EXPECTED = "it should be the output of `aws iam get-account-authorization-details`";

/** An account from the file that `aws iam get-account-authorization-details` wrote. @throws Error that names the file */
export async function readAccount(file: string): Promise<Account> {
  const details = await readDetails(file);
  try {
    const account = resolveAccount(details, actionNames());
    if (account.users.length > 0) return account;
  } catch (error) {
    throw new Error(`${file} is no account: ${EXPECTED}`, { cause: error });
  }
  throw new Error(`${file} has no users: ${EXPECTED}`);
}

/** What the file says, as it says it. @throws Error that names the file */
export async function readDetails(file: string): Promise<unknown> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw new Error(`${file} cannot be read: ${error instanceof Error ? error.message : "unknown"}`, {
      cause: error,
    });
  });
  try {
    return readJson(text.replace(/^\ufeff/, ""), MAX_FILE);
  } catch (error) {
    const why = error instanceof InvalidPolicy ? ` (${error.message})` : "";
    throw new Error(`${file} is no account${why}: ${EXPECTED}`, { cause: error });
  }
}

/** The summary of a check, for people. */
export function summarizeCheck({ findings, policyCount, users }: Account): string {
  const count = (wanted: PolicyFinding["severity"]) =>
    findings.flatMap((policy) => policy.findings).filter(({ severity }) => severity === wanted).length;
  return `policies: ${policyCount}, users and roles: ${users.length}; errors: ${count("error")}, warnings: ${count("warning")}`;
}

/** The summary of an import, for people. */
export function summarize(report: ImportReport): string {
  const { added, changed, unchanged, vanished, notUnderstood, findings } = report;
  const said = findings.flatMap((policy) => policy.findings);
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [title, ...lines.map((line) => `  - ${line}`)];
  return [
    `${added.length} added, ${changed.length} changed, ${unchanged.length} unchanged`,
    ...list("no longer in the account, and kept here with all they hold:", vanished),
    ...list(
      "not understood; whoever it applies to is denied until a new snapshot is imported:",
      notUnderstood,
    ),
    ...(said.length === 0
      ? []
      : [`${said.length} findings about ${findings.length} policies: npm run -s import -- <file> --check`]),
  ].join("\n");
}
