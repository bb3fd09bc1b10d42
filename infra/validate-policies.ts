import { createReadStream } from "node:fs";
import { parseArgs } from "node:util";
import * as z from "zod";
import { actionNames } from "../shared/decision/levels.ts";
import type { DocumentKind } from "../shared/iam/document.ts";
import { MAX_POLICY_LENGTH } from "../shared/iam/policy.ts";
import { type PolicyFinding, validatePolicy } from "../shared/iam/validate.ts";
import { describeIssues } from "../shared/model/describe-issues.ts";
import { answerLines, writeLine } from "./json-lines.ts";

const HELP = `Says everything that is wrong with IAM policy documents, and what is doubtful.

  npm run -s validate-policies -- --kind identity policy.json ...
                                                         each file is one document; without files, standard input is
  npm run -s validate-policies -- documents.jsonl ...    one JSON object a line; several files are read in turn
  ... | npm run -s validate-policies                     the same from standard input

In:   with --kind, a document; without it, lines of at most 16,777,216 characters:
      {"id"?, "kind": "identity" | "trust", "text": "<the document as text>"}
      "identity" is attached to a user, group or role, a boundary or a session policy; "trust" says who may assume a role.
Out:  {"id", "valid": true | false, "findings": [{"severity": "error" | "warning", "code", "path", "message"}, ...]},
      in the same order, errors before warnings; with --kind, "id" is the file's name as given ("-" is standard input).
      {"id", "error"} for a line that cannot be used, which is named on standard error, too.

A document is valid when no finding is an error. docs/policy-findings.md has the table of codes.
Exit code: 0 when all documents are valid, 1 when one is not, 2 when a line or a file could not be used; the rest is done
all the same.
`;

/** A document of ten megabytes still gets its finding. */
const MAX_LINE = 16_777_216;

const KINDS = ["identity", "trust"] as const satisfies readonly DocumentKind[];

const Line = z.strictObject({
  id: z.unknown().optional(),
  kind: z.enum(KINDS),
  text: z.string("must be the document as text, a string that holds its JSON"),
});

type Validation = { readonly valid: boolean; readonly findings: readonly PolicyFinding[] };

function validate(text: string, kind: DocumentKind): Validation {
  const findings = validatePolicy(text, kind, { catalogue: actionNames() });
  return { valid: findings.every(({ severity }) => severity !== "error"), findings };
}

function validateLine(line: unknown): Validation {
  const parsed = Line.safeParse(line);
  if (!parsed.success) throw new Error(describeIssues(parsed.error.issues, line));
  return validate(parsed.data.text, parsed.data.kind);
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" }, kind: { type: "string" } },
    allowPositionals: true,
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const kind = KINDS.find((name) => name === values.kind);
  if (kind === undefined && values.kind !== undefined) {
    throw new Error("`--kind` must be `identity` or `trust`");
  }
  let exitCode = 0;
  for (const file of positionals.length === 0 ? ["-"] : positionals) {
    const complainOf = (why: string) => complain(file === "-" ? why : `${file}: ${why}`);
    try {
      const done = kind ? await validateDocument(file, kind) : await validateLines(file, complainOf);
      exitCode = Math.max(exitCode, done);
    } catch (error) {
      complainOf(error instanceof Error ? error.message : "failed");
      exitCode = 2;
    }
  }
  return exitCode;
}

async function validateDocument(file: string, kind: DocumentKind): Promise<number> {
  const validation = validate(await readBeginning(file), kind);
  await writeLine({ id: file, ...validation });
  return validation.valid ? 0 : 1;
}

/** The whole of a document, but of one that is too long no more than it takes to see that. */
async function readBeginning(file: string): Promise<string> {
  const input = file === "-" ? process.stdin : createReadStream(file);
  let text = "";
  for await (const chunk of input.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > MAX_POLICY_LENGTH) break;
  }
  return text;
}

async function validateLines(file: string, complainOf: (why: string) => void): Promise<number> {
  let exitCode = 0;
  let isAnyUsed = false;
  for await (const { id, ...answer } of answerLines(file, MAX_LINE, validateLine)) {
    if ("error" in answer) {
      complainOf(answer.error);
      exitCode = 2;
      await writeLine({ id, ...answer });
    } else {
      isAnyUsed = true;
      if (!answer.output.valid) exitCode = Math.max(exitCode, 1);
      await writeLine({ id, ...answer.output });
    }
  }
  if (exitCode === 2 && !isAnyUsed) {
    complainOf("no line could be used; if this is one document, add `--kind identity` or `--kind trust`");
  }
  return exitCode;
}

function complain(why: string): void {
  process.stderr.write(`validate-policies: ${why}\n`);
}

if (import.meta.main) {
  process.stdout.on("error", () => process.exit(2));
  try {
    process.exitCode = await main();
  } catch (error) {
    complain(error instanceof Error ? error.message : "failed");
    process.exitCode = 2;
  }
}
