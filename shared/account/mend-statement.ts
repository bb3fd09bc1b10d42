import * as z from "zod";
import { Context } from "../iam/context.ts";
import { compileAction } from "../iam/policy.ts";
import type { PolicyFinding } from "../iam/validate.ts";
import type { Place } from "../model/stack-arn.ts";

const Listed = z.union([z.string().transform((one) => [one]), z.array(z.string())]);
const Statement = z.looseObject({
  Effect: z.string(),
  Action: Listed,
  Resource: Listed,
  Condition: z.record(z.string(), z.record(z.string(), z.unknown())).optional(),
});
type Statement = z.infer<typeof Statement>;
const PolicyText = z.object({
  Statement: z.union([z.array(z.unknown()), z.looseObject({}).transform((one) => [one])]),
});

const NO_CONTEXT = new Context([]);
const isPassRole = (action: string) => action.toLowerCase() === "iam:passrole";
const isPassedToService = (key: string) => key.toLowerCase() === "iam:passedtoservice";

/**
 * The statements that do what the one with the finding looks like, as JSON to put in its place; `undefined` where nobody but its author can
 * tell: of a Deny, of what is excepted, and of an action with a wildcard that covers PassRole, which must not lose its condition.
 * @param text a document that was read
 */
export function mendStatement(text: string, finding: PolicyFinding, place: Place): unknown {
  const mend = MENDED[finding.code];
  if (!mend) return undefined;
  const [, index = "0"] = /^\$\.Statement\[(\d+)\]/.exec(finding.path) ?? [];
  const { Statement: statements } = PolicyText.parse(JSON.parse(text));
  const { data: statement } = Statement.safeParse(statements[Number(index)]);
  if (statement?.Effect !== "Allow" || statement.Action.some(coversPassRole)) return undefined;
  return mend(statement, place);
}

const MENDED: Readonly<Record<string, (statement: Statement, place: Place) => unknown>> = {
  "passed-to-service": splitOffPassRole,
  "pass-role-on-no-role": (statement, { partition, accountId }) => {
    const role = { Resource: `arn:${partition}:iam::${accountId}:role/<name>` };
    const [others, passRole] = splitActions(statement);
    return [...others, ...passRole.map((one) => ({ ...one, ...role }))];
  },
  "region-in-iam-arn": (statement) => [{ ...statement, Resource: statement.Resource.map(withoutRegion) }],
};

function coversPassRole(action: string): boolean {
  return !isPassRole(action) && compileAction(action)("iam:passrole", NO_CONTEXT) === true;
}

/** The condition stays with PassRole, which alone carries its key. */
function splitOffPassRole(statement: Statement): Statement[] {
  const [others, passRole] = splitActions(statement);
  return [...others.map(withoutPassedToService), ...passRole];
}

function splitActions(statement: Statement): [others: Statement[], passRole: Statement[]] {
  const { Sid: _sid, ...rest } = statement;
  const others = statement.Action.filter((action) => !isPassRole(action));
  const passRole = statement.Action.filter(isPassRole);
  return [
    others.length === 0 ? [] : [{ ...statement, Action: others }],
    passRole.length === 0 ? [] : [{ ...rest, Action: passRole }],
  ];
}

function withoutPassedToService({ Condition = {}, ...rest }: Statement): Statement {
  const kept = Object.entries(Condition).flatMap(([operator, block]) => {
    const keys = Object.entries(block).filter(([key]) => !isPassedToService(key));
    return keys.length === 0 ? [] : [[operator, Object.fromEntries(keys)] as const];
  });
  return kept.length === 0 ? rest : { ...rest, Condition: Object.fromEntries(kept) };
}

function withoutRegion(arn: string): string {
  return arn.replace(/^(arn:[^:]*:iam):[^:]*:/, "$1::");
}
