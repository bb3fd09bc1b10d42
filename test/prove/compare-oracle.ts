import { add, fastAnswer } from "./compare.ts";
import { DIVERGENCES, divergencesOf, isRefused } from "./divergences.ts";
import type { Oracle } from "./oracle.ts";
import { faultOf } from "./plain-door.ts";
import { type Case, statementsOf } from "./plain-evaluator.ts";
import { randomCase, seedOf } from "./random-cases.ts";
import { shrink } from "./shrink.ts";

/** How often a divergence holds for a statement, and how often the two then differ when it holds alone. */
type Seen = { statements: number; alone: number; differs: number };

export type OracleFigures = {
  cases: number;
  /** Cases of which no statement was left out. */
  whole: number;
  statements: number;
  compared: number;
  /** Documents that are none: the oracle's loose mode reads them nonetheless. */
  refused: number;
  /** Statements that make the engine refuse the request at intake, which the oracle does not. */
  unjudged: number;
  answers: Map<string, number>;
  divergences: Map<string, Seen>;
  differences: { seed: number; line: string; engine: string; oracle: string }[];
};

export function noOracleFigures(): OracleFigures {
  return {
    cases: 0,
    whole: 0,
    statements: 0,
    compared: 0,
    refused: 0,
    unjudged: 0,
    answers: new Map(),
    divergences: new Map(DIVERGENCES.map(({ name }) => [name, { statements: 0, alone: 0, differs: 0 }])),
    differences: [],
  };
}

const MOST_DIFFERENCES = 10;

/** Compares the engine's IAM part with the oracle: no levels, no self-management. */
export function compareWithOracle(
  oracle: Oracle,
  run: number,
  from: number,
  upTo: number,
  figures: OracleFigures,
): void {
  for (let index = from; index < upTo && figures.differences.length < MOST_DIFFERENCES; index += 1) {
    const seed = seedOf(run, index);
    const asked = expressible(randomCase(seed).asked, oracle, figures);
    const engine = engineAnswer(asked);
    figures.cases += 1;
    add(figures.answers, engine);
    if (engine === oracle(asked)) continue;
    const smallest = shrink(asked, (smaller) => isFaulty(smaller, oracle));
    figures.differences.push({
      seed,
      line: JSON.stringify(smallest),
      engine: engineAnswer(smallest),
      oracle: oracle(smallest),
    });
  }
}

function engineAnswer(asked: Case): string {
  const { decision, rule } = fastAnswer({ asked, more: {} });
  return decision === "error" ? `error: ${rule}` : decision;
}

/** A smaller case that is still one without divergences, and decided differently. */
function isFaulty(asked: Case, oracle: Oracle): boolean {
  const figures = noOracleFigures();
  try {
    const engine = engineAnswer(asked);
    if (engine.startsWith("error") || engine === oracle(asked)) return false;
    expressible(asked, oracle, figures);
    return figures.whole === 1;
  } catch {
    return false;
  }
}

/** The case without what the oracle does not know: levels, documents with a fault, statements that diverge. */
function expressible(asked: Case, oracle: Oracle, figures: OracleFigures): Case {
  const { action, resource, context = {} } = asked.request;
  const request = { action, resource, context };
  let left = 0;
  const restrict = (document: unknown): unknown[] => {
    if (faultOf(document) !== undefined) {
      figures.refused += 1;
      left += 1;
      return [];
    }
    const statements = statementsOf(document).filter((statement) => {
      figures.statements += 1;
      if (isRefused(statement, context)) {
        figures.unjudged += 1;
        return false;
      }
      const names = divergencesOf(document, statement, request);
      if (names.length === 0) return true;
      count(names, { ...(document as object), Statement: statement });
      return false;
    });
    left += statementsOf(document).length - statements.length;
    figures.compared += statements.length;
    return statements.length === 0 ? [] : [{ ...(document as object), Statement: statements }];
  };
  const count = (names: readonly string[], document: unknown): void => {
    const [name = ""] = names;
    for (const one of names) seenOf(figures, one).statements += 1;
    if (names.length > 1) return;
    const alone: Case = { policies: [document], request };
    seenOf(figures, name).alone += 1;
    if (engineAnswer(alone) !== oracle(alone)) seenOf(figures, name).differs += 1;
  };

  const [boundary] = asked.boundary === undefined ? [] : restrict(asked.boundary);
  const [sessionPolicy] = asked.sessionPolicy === undefined ? [] : restrict(asked.sessionPolicy);
  const policies = asked.policies.flatMap(restrict);
  if (left === 0) figures.whole += 1;
  return {
    policies,
    ...(boundary === undefined ? {} : { boundary }),
    ...(sessionPolicy === undefined ? {} : { sessionPolicy }),
    request,
  };
}

function seenOf(figures: OracleFigures, name: string): Seen {
  const seen = figures.divergences.get(name);
  if (!seen) throw new Error(`no divergence ${name}`);
  return seen;
}
