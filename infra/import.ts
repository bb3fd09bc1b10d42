import { parseArgs } from "node:util";
import { importAccount } from "../shared/account/import-account.ts";
import type { Account } from "../shared/account/resolve-account.ts";
import { openTable } from "../shared/table/table.ts";
import { writeLine } from "./json-lines.ts";
import { useLocalDynamoDb } from "./local/local-stack.ts";
import { readState } from "./local/state.ts";
import { readAccount, summarize, summarizeCheck } from "./read-account.ts";

const HELP = `Imports the users and roles of an AWS account, with all policies that apply to them.

  aws iam get-account-authorization-details > account.json
  npm run import -- account.json --table <TableName>     into a deployed table, with your own AWS credentials
  npm run import -- account.json --local                 into the stack that \`npm start\` runs
  npm run -s import -- account.json --check              nowhere: prints what there is to say of each policy, as
                                                         {"policy", "findings": [{"severity", "code", "path", "message"}, ...]},
                                                         and how many there are on standard error

<TableName> is an output of the deployed CloudFormation stack. It can be run again at any time: users who are there
already keep their levels, SSH settings and self-management. A policy that cannot be read is named, and everything it
might decide is denied.
Exit code: 0, or 1 when something was not understood, or 2 when the import could not be done or not be finished; run it again.
`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: {
      help: { type: "boolean", short: "h" },
      table: { type: "string" },
      local: { type: "boolean" },
      check: { type: "boolean" },
    },
    allowPositionals: true,
  });
  const [file] = positionals;
  if (values.help || file === undefined || positionals.length > 1) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  if (values.check && (values.table !== undefined || values.local)) {
    throw new Error("either `--check`, which imports nothing, or where to, not both");
  }
  if (values.check) return check(await readAccount(file));
  if (values.table !== undefined && values.local) throw new Error("either `--table` or `--local`, not both");
  const local = values.local ? await readState() : undefined;
  if (local) useLocalDynamoDb(local.endpoint, local.region);
  const tableName = values.table ?? local?.tableName;
  if (tableName === undefined) throw new Error("where to? add `--table <TableName>` or `--local`");

  const account = await readAccount(file);
  const report = await importAccount(openTable(tableName), account, {
    caller: "operator",
    now: new Date(),
    onProgress: (done, of) => process.stderr.write(`imported ${done} of ${of}\n`),
  });
  process.stdout.write(`${summarize(report)}\n`);
  return report.notUnderstood.length > 0 ? 1 : 0;
}

async function check(account: Account): Promise<number> {
  for (const policy of account.findings) await writeLine(policy);
  for (const sentence of account.notUnderstood) process.stderr.write(`not understood: ${sentence}\n`);
  process.stderr.write(`${summarizeCheck(account)}\n`);
  const isFaulty = account.findings.some(({ findings }) =>
    findings.some(({ severity }) => severity === "error"),
  );
  return isFaulty || account.notUnderstood.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`import: ${error instanceof Error ? error.message : "failed"}\n`);
  process.exitCode = 2;
}
