import * as z from "zod";
import type { PolicyFinding } from "../iam/validate.ts";

const Listed = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const Statement = z.looseObject({
  Action: Listed.optional(),
  Resource: Listed.optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
type Statement = z.infer<typeof Statement>;
const PolicyText = z.object({
  Statement: z.union([z.array(Statement), Statement.transform((one) => [one])]),
});

const isPassRole = (action: string) => action.toLowerCase() === "iam:passrole";
const isPassedToService = (key: string) => key.toLowerCase() === "iam:passedtoservice";

/**
 * The statements that do what the one with the finding looks like, as JSON to put in its place; `undefined` where nobody but its author
 * can tell.
 * @param text a document that was read
 */
export function mendStatement(text: string, finding: PolicyFinding, accountId: string): unknown {
  const parsed = PolicyText.safeParse(JSON.parse(text));
  const [, index = "0"] = /^\$\.Statement\[(\d+)\]/.exec(finding.path) ?? [];
  const statement = parsed.data?.Statement[Number(index)];
  if (!statement) return undefined;
  return MENDED[finding.code]?.(statement, accountId);
}

const MENDED: Readonly<Record<string, (statement: Statement, accountId: string) => unknown>> = {
  "passed-to-service": splitOffPassRole,
  "pass-role-on-no-role": (statement, accountId) => [
    { ...statement, Resource: `arn:aws:iam::${accountId}:role/<name>` },
  ],
  "region-in-iam-arn": (statement) => [{ ...statement, Resource: statement.Resource?.map(withoutRegion) }],
};

/** The condition stays with PassRole, which alone carries its key. */
function splitOffPassRole(statement: Statement): Statement[] | undefined {
  const { Action = [], Condition = {}, Sid, ...rest } = statement;
  const others = Action.filter((action) => !isPassRole(action));
  if (others.length === 0) return undefined;
  const kept = Object.entries(Condition).flatMap(([operator, block]) => {
    const keys = Object.entries(block).filter(([key]) => !isPassedToService(key));
    return keys.length === 0 ? [] : [[operator, Object.fromEntries(keys)] as const];
  });
  const sid = Sid === undefined ? {} : { Sid };
  const without = { ...sid, ...rest, Action: others };
  return [
    kept.length === 0 ? without : { ...without, Condition: Object.fromEntries(kept) },
    ...(others.length === Action.length ? [] : [{ ...rest, Action: Action.filter(isPassRole), Condition }]),
  ];
}

function withoutRegion(arn: string): string {
  return arn.replace(/^(arn:[^:]*:iam):[^:]*:/, "$1::");
}
