import { simulate } from "../../infra/simulate.ts";
import { decide } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { isStackArn } from "../../shared/model/stack-arn.ts";
import { applies, decidePlainly, statementsOf, type Verdict } from "./plain-evaluator.ts";
import { type RandomCase, randomCase, seedOf } from "./random-cases.ts";
import { shrink } from "./shrink.ts";

/**
 * Where the reference page is silent and the two may answer differently, each by name with its reason. A difference
 * that one of them holds for is counted and passed over.
 */
const EXCEPTIONS: readonly { name: string; reason: string; holds: (random: RandomCase) => boolean }[] = [
  {
    name: "epoch beyond the calendar",
    reason:
      "the page names no greatest date: the engine takes epoch seconds beyond the year 9999 for no date",
    holds: ({ asked }) =>
      Object.values(asked.request.context ?? {})
        .flat()
        .some((value) => /^\d+$/.test(value) && Number(value) > 253_402_300_799),
  },
];

export type Answer = Verdict | { decision: "error"; rule: string };

/** What the engine that ships says. */
export function fastAnswer({ asked, more }: RandomCase): Answer {
  try {
    const { decision, rule } = Object.keys(more).length === 0 ? simulate(asked) : decideWith({ asked, more });
    return { decision, rule };
  } catch (error) {
    return { decision: "error", rule: error instanceof Error ? error.message : "error" };
  }
}

/** As an offline case is decided, with what only the service knows. */
function decideWith({ asked, more }: RandomCase): Verdict {
  const { policies, boundary, sessionPolicy, level, selfManagement, request } = asked;
  const named = (name: string, document: unknown) => ({ name, policy: compilePolicy(document) });
  const { decision, rule } = decide(
    {
      accountOwner: false,
      ...(level && isStackArn(request.resource) ? { grant: { stackArn: request.resource, level } } : {}),
      ...(more.allowSsh === undefined ? {} : { allowSsh: more.allowSsh }),
      policies: policies.map((document, index) => named(`policies[${index}]`, document)),
      ...(boundary === undefined ? {} : { boundary: named("boundary", boundary) }),
      ...(sessionPolicy === undefined ? {} : { sessionPolicy: named("sessionPolicy", sessionPolicy) }),
      unreadable: more.unreadable ? ["unreadable"] : [],
      selfManagement: selfManagement ?? false,
      ...(more.mustPassRole === undefined ? {} : { mustPassRole: more.mustPassRole }),
    },
    readRequest(request.action, request.resource, new Context(Object.entries(request.context ?? {}))),
  );
  return { decision, rule };
}

function plainAnswer({ asked, more }: RandomCase): Answer {
  try {
    return decidePlainly(asked, more);
  } catch (error) {
    return { decision: "error", rule: error instanceof Error ? error.message : "error" };
  }
}

/** Two answers as one word, which a smaller case must keep. */
function kindOf(random: RandomCase): string {
  return [fastAnswer(random), plainAnswer(random)]
    .map(({ decision, rule }) => (decision === "error" ? decision : rule))
    .join();
}

type Difference = { seed: number; line: string; fast: Answer; plain: Answer };

export type Figures = {
  cases: number;
  answers: Map<string, number>;
  rules: Map<string, number>;
  /** Of every fourth case the statements of each effect: how many there were, how many fitted their request. */
  statements: { [effect in "Allow" | "Deny"]: { seen: number; fit: number } };
  excepted: Map<string, number>;
  differences: Difference[];
};

export function noFigures(): Figures {
  return {
    cases: 0,
    answers: new Map(),
    rules: new Map(),
    statements: { Allow: { seen: 0, fit: 0 }, Deny: { seen: 0, fit: 0 } },
    excepted: new Map(),
    differences: [],
  };
}

/** After so many a run ends. */
const MOST_DIFFERENCES = 10;

/** Compares the cases of a run from one index up to, without, another, and adds them to the figures. */
export function compareCases(run: number, from: number, upTo: number, figures: Figures): void {
  for (let index = from; index < upTo && figures.differences.length < MOST_DIFFERENCES; index += 1) {
    const seed = seedOf(run, index);
    const random = randomCase(seed);
    const [fast, plain] = [fastAnswer(random), plainAnswer(random)];
    figures.cases += 1;
    add(figures.answers, plain.decision);
    if (plain.decision !== "error") {
      add(figures.rules, plain.rule);
      if (index % 4 === 0) countStatements(random, figures);
    }
    if (fast.decision === plain.decision && (fast.decision === "error" || fast.rule === plain.rule)) continue;
    const exception = EXCEPTIONS.find(({ holds }) => holds(random));
    if (exception) add(figures.excepted, exception.name);
    else figures.differences.push(described(seed, random));
  }
}

function described(seed: number, random: RandomCase): Difference {
  const kind = kindOf(random);
  const asked = shrink(random.asked, (smaller) => kindOf({ ...random, asked: smaller }) === kind);
  const more = shrink(random.more, (smaller) => kindOf({ asked, more: smaller }) === kind);
  const smallest = { asked, more };
  return {
    seed,
    line: lineOf(smallest),
    fast: fastAnswer(smallest),
    plain: plainAnswer(smallest),
  };
}

/** A line for simulate; what a line cannot say follows it as a remark. */
export function lineOf({ asked, more }: RandomCase): string {
  const remark = Object.keys(more).length === 0 ? "" : `  with ${JSON.stringify(more)}`;
  return JSON.stringify(asked) + remark;
}

function countStatements({ asked }: RandomCase, figures: Figures): void {
  for (const document of [...asked.policies, asked.boundary, asked.sessionPolicy]) {
    for (const statement of statementsOf(document)) {
      const count = figures.statements[statement["Effect"] === "Deny" ? "Deny" : "Allow"];
      count.seen += 1;
      if (applies(document, statement, asked.request)) count.fit += 1;
    }
  }
}

export function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

export function share(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
