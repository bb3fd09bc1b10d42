import { parseArgs } from "node:util";
import * as z from "zod";
import { type Decision, decide } from "../shared/decision/decide.ts";
import { Context } from "../shared/iam/context.ts";
import type { NamedPolicy } from "../shared/iam/evaluate.ts";
import { compilePolicy } from "../shared/iam/policy.ts";
import { readRequest } from "../shared/iam/request.ts";
import { describeIssues } from "../shared/model/describe-issues.ts";
import { Level } from "../shared/model/level.ts";
import { isStackArn } from "../shared/model/stack-arn.ts";
import { answerLines, writeLine } from "./json-lines.ts";

const HELP = `Decides authorization cases offline, as the service would.

  npm run -s simulate -- cases.jsonl        one JSON object a line
  ... | npm run -s simulate                 the same from standard input

In:   {"id"?, "policies": [document...], "boundary"?: document, "sessionPolicy"?: document,
       "level"?: "deny" | "iam_only" | "show" | "deploy" | "manage", "selfManagement"?: boolean,
       "request": {"action", "resource", "principalArn"?, "context"?: {"key": "value" | ["values"]}}}
Out:  {"id", "decision": "allowed" | "explicitDeny" | "implicitDeny", "rule", "statement"?}, in the same order;
      {"id", "error"} for a line that cannot be read.

Without "level" it is plain IAM evaluation. A level counts when "resource" is a stack's ARN. The context is taken as
given: nothing is filled in. A list is a multivalued key. GrantAccess is decided as for a user who has SSH/RDP.
Exit code: 0, or 1 when a line could not be read, or 2 when the file could not.
`;

const MAX_LINE = 4_194_304;

/** A number is read as an object that has its digits. */
const NoNumber = z.unknown().refine((value) => !JSON.isRawJSON(value), "must be an object");

const Case = z.strictObject({
  id: z.unknown().optional(),
  policies: z.array(z.unknown()).max(1000),
  boundary: z.unknown().optional(),
  sessionPolicy: z.unknown().optional(),
  level: Level.optional(),
  selfManagement: z.boolean().optional(),
  request: NoNumber.pipe(
    z.strictObject({
      action: z.string(),
      resource: z.string(),
      principalArn: z.string().optional(),
      context: NoNumber.pipe(
        z.record(
          z.string(),
          z.union([z.string(), z.array(z.string())], { error: "must be text or a list of texts" }),
        ),
      ).optional(),
    }),
  ),
});

/** Decides one line; what it throws is the line's fault and says so. */
export function simulate(line: unknown): Decision {
  const parsed = Case.safeParse(line);
  if (!parsed.success) throw new Error(describeIssues(parsed.error.issues, line));
  const { policies, boundary, sessionPolicy, level, selfManagement, request } = parsed.data;
  return decide(
    {
      accountOwner: isAccountOwner(request.principalArn ?? "", request.resource),
      ...(level && isStackArn(request.resource) ? { grant: { stackArn: request.resource, level } } : {}),
      policies: policies.map((document, index) => named(`policies[${index}]`, document)),
      ...(boundary === undefined ? {} : { boundary: named("boundary", boundary) }),
      ...(sessionPolicy === undefined ? {} : { sessionPolicy: named("sessionPolicy", sessionPolicy) }),
      unreadable: [],
      selfManagement: selfManagement ?? false,
    },
    readRequest(request.action, request.resource, new Context(Object.entries(request.context ?? {}))),
  );
}

/** The root of the account that the resource is in. */
function isAccountOwner(principalArn: string, resource: string): boolean {
  const [, account] = /^arn:aws[a-z-]*:iam::(\d{12}):root$/.exec(principalArn) ?? [];
  const owner = resource.split(":")[4] ?? "";
  return account !== undefined && (owner === "" || owner === account);
}

function named(name: string, document: unknown): NamedPolicy {
  try {
    return { name, policy: compilePolicy(document) };
  } catch (error) {
    throw new Error(`${name}: ${error instanceof Error ? error.message : "unreadable"}`, { cause: error });
  }
}

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    options: { help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help || positionals.length > 1) {
    process.stdout.write(HELP);
    return values.help ? 0 : 2;
  }
  let exitCode = 0;
  for await (const answer of answerLines(positionals[0] ?? "-", MAX_LINE, simulate)) {
    if ("error" in answer) {
      exitCode = 1;
      await writeLine(answer);
    } else {
      const { decision, rule, statement } = answer.output;
      await writeLine({ id: answer.id, decision, rule, statement });
    }
  }
  return exitCode;
}

if (import.meta.main) {
  process.stdout.on("error", () => process.exit(2));
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`simulate: ${error instanceof Error ? error.message : "failed"}\n`);
    process.exitCode = 2;
  }
}
