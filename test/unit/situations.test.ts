import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { simulate } from "../../infra/simulate.ts";
import { readJson } from "../../shared/iam/json.ts";
import { Level } from "../../shared/model/level.ts";

const FOLDER = new URL("situations/", import.meta.url);

const Context = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

const Case = z
  .strictObject({
    name: z.string().optional(),
    action: z.union([z.string(), z.array(z.string()).min(2)]),
    resource: z.string().optional(),
    context: Context.optional(),
    level: Level.optional(),
    selfManagement: z.boolean().optional(),
    principalArn: z.string().optional(),
    /** Elements put into the only statement of the only policy. */
    with: z.record(z.string(), z.unknown()).optional(),
    decision: z.enum(["allowed", "explicitDeny", "implicitDeny"]).optional(),
    rule: z.string().optional(),
    /** A Sid, or `policies[0].Statement[1]`. */
    statement: z.string().optional(),
    /** Part of the message with which the document or the request is refused. */
    refused: z.string().min(1).optional(),
  })
  .refine(
    (it) => (it.decision === undefined) !== (it.refused === undefined),
    "has either `decision` or `refused`",
  )
  .refine(
    (it) => it.decision !== undefined || (it.rule ?? it.statement) === undefined,
    "is refused by no rule",
  );
type Case = z.infer<typeof Case>;

const Situation = z.strictObject({
  title: z.string(),
  source: z.string(),
  resource: z.string().optional(),
  context: Context.optional(),
  level: Level.optional(),
  policies: z.array(z.record(z.string(), z.unknown())),
  boundary: z.unknown().optional(),
  sessionPolicy: z.unknown().optional(),
  cases: z.array(Case).min(1),
});
type Situation = z.infer<typeof Situation>;

const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));

for (const file of files) {
  const { title, cases, ...situation } = Situation.parse(
    readJson(readFileSync(new URL(file, FOLDER), "utf8"), 100_000),
  );
  describe(`${file.replace(".json", "").replaceAll("-", " ")}? ${title}`, () => {
    for (const { action, ...one } of cases) {
      for (const each of [action].flat())
        test(nameOf(each, one, situation), () => check(each, one, situation));
    }
  });
}

function check(
  action: string,
  one: Omit<Case, "action">,
  situation: Omit<Situation, "title" | "cases">,
): void {
  const resource = one.resource ?? situation.resource ?? "*";
  const line = {
    policies: one.with === undefined ? situation.policies : completed(situation.policies, one.with),
    ...given({ boundary: situation.boundary, sessionPolicy: situation.sessionPolicy }),
    ...given({ level: one.level ?? situation.level, selfManagement: one.selfManagement }),
    request: {
      action,
      resource,
      ...given({ context: one.context ?? situation.context, principalArn: one.principalArn }),
    },
  };
  if (one.refused !== undefined) {
    expect(() => simulate(line)).toThrow(one.refused);
    return;
  }
  const decision = simulate(line);
  expect(decision).toMatchObject(given({ decision: one.decision, rule: one.rule }));
  if (one.statement !== undefined) {
    const { policy, index, sid } = decision.statement ?? {};
    expect([sid, `${policy}.Statement[${index}]`]).toContain(one.statement);
  }
}

function completed(policies: Situation["policies"], elements: Readonly<Record<string, unknown>>): unknown[] {
  const [policy, ...others] = policies;
  const statements = z.array(z.record(z.string(), z.unknown())).length(1).parse(policy?.["Statement"]);
  expect(others, "`with` needs one policy").toEqual([]);
  return [{ ...policy, Statement: [{ ...statements[0], ...elements }] }];
}

/** The members that are there: an absent one is not an undefined one. */
function given(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}

function nameOf(
  action: string,
  one: Omit<Case, "action">,
  { resource }: Pick<Situation, "resource">,
): string {
  const outcome =
    one.refused === undefined ? `${one.decision}${one.rule ? ` by ${one.rule}` : ""}` : "refused";
  if (one.name !== undefined) return `${one.name}: ${action}: ${outcome}`;
  const facts = [
    one.resource === undefined || one.resource === resource ? "" : ` on ${one.resource}`,
    one.level === undefined ? "" : ` at level ${one.level}`,
    one.selfManagement === undefined ? "" : ` with self-management ${one.selfManagement ? "on" : "off"}`,
    one.principalArn === undefined ? "" : ` by ${one.principalArn}`,
    one.with === undefined ? "" : ` with ${JSON.stringify(one.with)}`,
    one.context === undefined ? "" : ` given ${JSON.stringify(one.context)}`,
  ];
  return `${action}${facts.join("")}: ${outcome}`;
}
