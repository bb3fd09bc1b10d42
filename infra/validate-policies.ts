import { parseArgs } from "node:util";
import * as z from "zod";
import { actionNames } from "../shared/decision/levels.ts";
import { type PolicyFinding, validatePolicy } from "../shared/iam/validate.ts";
import { describeIssues } from "../shared/model/describe-issues.ts";
import { answerLines, writeLine } from "./json-lines.ts";

const HELP = `Says everything that is wrong with IAM policy documents, and what is doubtful.

  npm run -s validate-policies -- documents.jsonl ...    one JSON object a line; several files are read in turn
  ... | npm run -s validate-policies                     the same from standard input

In:   {"id"?, "kind": "identity" | "trust", "text": "<the document as text>"}
      "identity" is attached to a user, group or role, a boundary or a session policy; "trust" says who may assume a role.
Out:  {"id", "valid": true | false, "findings": [{"severity": "error" | "warning", "code", "path", "message"}, ...]},
      in the same order; {"id", "error"} for a line that cannot be used, which is named on standard error, too.

A document is valid when no finding is an error. docs/policy-findings.md has the table of codes.
Exit code: 0 when all documents are valid, 1 when one is not, 2 when a line or a file could not be used; the rest is done
all the same.
`;

/** A document of ten megabytes still gets its finding. */
const MAX_LINE = 16_777_216;

const Line = z.strictObject({
  id: z.unknown().optional(),
  kind: z.enum(["identity", "trust"]),
  text: z.string(),
});

function validate(line: unknown): { valid: boolean; findings: PolicyFinding[] } {
  const parsed = Line.safeParse(line);
  if (!parsed.success) throw new Error(describeIssues(parsed.error.issues, line));
  const findings = validatePolicy(parsed.data.text, parsed.data.kind, { catalogue: actionNames() });
  return { valid: findings.every(({ severity }) => severity !== "error"), findings };
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  let exitCode = 0;
  for (const file of positionals.length === 0 ? ["-"] : positionals) {
    exitCode = Math.max(exitCode, await validateFile(file));
  }
  return exitCode;
}

async function validateFile(file: string): Promise<number> {
  const source = file === "-" ? "" : `${file}: `;
  let exitCode = 0;
  try {
    for await (const { id, ...answer } of answerLines(file, MAX_LINE, validate)) {
      if ("error" in answer) {
        complain(source + answer.error);
        exitCode = 2;
        await writeLine({ id, ...answer });
      } else {
        if (!answer.output.valid) exitCode = Math.max(exitCode, 1);
        await writeLine({ id, ...answer.output });
      }
    }
  } catch (error) {
    complain(`${source}${error instanceof Error ? error.message : "failed"}`);
    return 2;
  }
  return exitCode;
}

function complain(why: string): void {
  process.stderr.write(`validate-policies: ${why}\n`);
}

if (import.meta.main) {
  process.stdout.on("error", () => process.exit());
  try {
    process.exitCode = await main();
  } catch (error) {
    complain(error instanceof Error ? error.message : "failed");
    process.exitCode = 2;
  }
}
