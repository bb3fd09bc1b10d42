import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Case, type Context, decidePlainly } from "./plain-evaluator.ts";
import { readDocuments } from "./raw-numbers.ts";

const SITUATIONS = new URL("../unit/situations/", import.meta.url);

type Situation = Pick<Case, "boundary" | "sessionPolicy" | "level"> & {
  resource?: string;
  context?: Context;
  policies: { [element: string]: unknown }[];
  cases: (Pick<Case, "level" | "selfManagement"> & {
    name?: string;
    action: string | string[];
    resource?: string;
    context?: Context;
    principalArn?: string;
    with?: object;
    decision?: string;
    rule?: string;
  })[];
};

describe("the plain evaluator decides the situations as the one that ships", () => {
  for (const file of readdirSync(SITUATIONS).filter((name) => name.endsWith(".json"))) {
    test(file, () => {
      const situation = readDocuments(readFileSync(new URL(file, SITUATIONS), "utf8")) as Situation;
      for (const one of situation.cases) {
        for (const action of [one.action].flat()) {
          const verdict = decideSituation(situation, one, action);
          const expected = { decision: one.decision ?? "refused", ...(one.rule ? { rule: one.rule } : {}) };
          expect(verdict, `${file} ${JSON.stringify(one)}`).toMatchObject(expected);
        }
      }
    });
  }
});

function decideSituation(
  situation: Situation,
  one: Situation["cases"][number],
  action: string,
): { decision: string } {
  const { policies, boundary, sessionPolicy } = situation;
  const level = one.level ?? situation.level;
  const [policy] = policies;
  const statement = [policy?.["Statement"]].flat()[0] as object;
  try {
    return decidePlainly({
      policies: one.with ? [{ ...policy, Statement: [{ ...statement, ...one.with }] }] : policies,
      ...(boundary === undefined ? {} : { boundary }),
      ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
      ...(level === undefined ? {} : { level }),
      selfManagement: one.selfManagement ?? false,
      request: {
        action,
        resource: one.resource ?? situation.resource ?? "*",
        ...(one.principalArn === undefined ? {} : { principalArn: one.principalArn }),
        context: one.context ?? situation.context ?? {},
      },
    });
  } catch {
    return { decision: "refused" };
  }
}
