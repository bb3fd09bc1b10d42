import { describe, expect, test } from "vitest";
import { type Answer, compareCases, fastAnswer, lineOf, noFigures, share } from "./compare.ts";
import { listOf } from "./plain-door.ts";
import type { Case } from "./plain-evaluator.ts";
import { Chance, type RandomCase, randomCase, seedOf } from "./random-cases.ts";

const SEED = 20_130_218;

describe("the engine and the plain evaluator", () => {
  test("agree on 20,000 random cases, which hit and miss in balance", { timeout: 60_000 }, () => {
    const figures = noFigures();
    compareCases(SEED, 0, 20_000, figures);
    expect(figures.differences.map(({ line, fast, plain }) => ({ line, fast, plain }))).toEqual([]);

    for (const decision of ["allowed", "explicitDeny", "implicitDeny"]) {
      expect(share(figures.answers.get(decision) ?? 0, figures.cases), decision).toBeGreaterThan(0.15);
    }
    for (const { seen, fit } of Object.values(figures.statements)) {
      expect(share(fit, seen)).toBeGreaterThan(0.25);
      expect(share(fit, seen)).toBeLessThan(0.75);
    }
    const passedOver = [...figures.excepted.values()].reduce((sum, count) => sum + count, 0);
    expect(share(passedOver, figures.cases)).toBeLessThan(0.001);
    expect([...figures.rules.keys()].toSorted()).toEqual([
      "account-owner",
      "boundary",
      "default-deny",
      "level-allow",
      "level-deny",
      "pass-role",
      "policy-allow",
      "policy-deny",
      "policy-unreadable",
      "self-management",
      "session-policy",
    ]);
  });
});

type Statement = { [element: string]: unknown };
type Document = { Version?: string; Id?: string; Statement: Statement | Statement[] };

const ALLOW_ALL: Document = {
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
};

/** What leaves the answer as it is. */
const NEUTRAL: { [change: string]: (asked: Case, chance: Chance) => Case } = {
  "reordering policies": (asked) => ({ ...asked, policies: asked.policies.toReversed() }),
  "reordering statements": onStatements((statements) => statements.toReversed()),
  "repeating a policy": (asked) => ({
    ...asked,
    policies: [...asked.policies, ...asked.policies.slice(0, 1)],
  }),
  "repeating a statement": onStatements((statements) => [...statements, ...statements.slice(0, 1)]),
  "splitting a list of actions": onStatements((statements) =>
    statements.flatMap((one) => split(one, "Action")),
  ),
  "splitting a list of resources": onStatements((statements) =>
    statements.flatMap((one) => split(one, "Resource")),
  ),
  "splitting the values of a positive condition": onStatements((statements) =>
    statements.flatMap(splitValues),
  ),
  "a policy for each statement": (asked) => ({
    ...asked,
    policies: asked.policies.flatMap((document) => {
      const { Statement, ...rest } = document as Document;
      return [Statement].flat().map((one) => ({ ...rest, Statement: one }));
    }),
  }),
  "repeating an entry of every list": onStatements((statements) =>
    statements.map((one) => mapElements(one, repeated)),
  ),
  "adding an action and a resource that are not asked for": onStatements((statements) =>
    statements.map((one) =>
      mapElements(one, (value, name) => {
        if (name.endsWith("Action")) return [...listOf(value), "sqs:SendMessage"];
        return name.endsWith("Resource") ? [...listOf(value), "arn:aws:sqs:us-east-1:111122223333:q"] : value;
      }),
    ),
  ),
  "adding an empty Condition": onStatements((statements) =>
    statements.map((one) => ({ Condition: {}, ...one })),
  ),
  "reordering lists": onStatements((statements) => statements.map((one) => mapElements(one, reordered))),
  "adding a statement about something else": onStatements((statements, chance) => [
    ...statements,
    { Effect: chance.of(["Allow", "Deny"]), Action: "sqs:SendMessage", Resource: "*" },
  ]),
  "adding a statement on something else": onStatements((statements, chance) => [
    ...statements,
    { Effect: chance.of(["Allow", "Deny"]), Action: "*", Resource: "arn:aws:sqs:us-east-1:111122223333:q" },
  ]),
  "adding a policy that holds nothing": (asked) => ({
    ...asked,
    policies: [...asked.policies, { Statement: { Effect: "Deny", NotAction: "*", Resource: "*" } }],
  }),
  "another case of the actions of statements": onStatements((statements, chance) =>
    statements.map((one) =>
      mapElements(one, (value, name) =>
        name.endsWith("Action") ? mapTexts(value, otherCase(chance)) : value,
      ),
    ),
  ),
  "another case of the services of actions": onStatements((statements, chance) =>
    statements.map((one) =>
      mapElements(one, (value, name) =>
        name.endsWith("Action")
          ? mapTexts(value, (text) => text.replace(/^[^:]*:/, otherCase(chance)))
          : value,
      ),
    ),
  ),
  "another case of the keys of variables": onStatements((statements, chance) =>
    statements.map((one) =>
      mapElements(
        mapConditions(one, (_operator, values) => mapTexts(values, variableCase(chance))),
        (value, name) => (name.endsWith("Resource") ? mapTexts(value, variableCase(chance)) : value),
      ),
    ),
  ),
  "another case of the values of Bool and of what ignores case": onStatements((statements, chance) =>
    statements.map((one) =>
      mapConditions(one, (operator, values) =>
        /Bool|Null|IgnoreCase/.test(operator) ? mapTexts(values, asciiCase(chance)) : values,
      ),
    ),
  ),
  "** for every *": onStatements((statements) =>
    statements.map((one) =>
      mapElements(
        mapConditions(one, (operator, values) =>
          /(String|Arn)(Not)?Like/.test(operator) ? mapTexts(values, doubled) : values,
        ),
        (value, name) => (/^(Not)?(Action|Resource)$/.test(name) ? mapTexts(value, doubled) : value),
      ),
    ),
  ),
  "ArnEquals for ArnLike, and the other way round": onStatements((statements) =>
    statements.map((one) =>
      mapOperators(one, (operator) =>
        operator.replace(
          /Arn(Not)?(Like|Equals)/,
          (_all, not: string | undefined, kind: string) =>
            `Arn${not ?? ""}${kind === "Like" ? "Equals" : "Like"}`,
        ),
      ),
    ),
  ),
  "Version 2008-10-17 for none": (asked) =>
    onDocuments(asked, (document) => ({ Version: "2008-10-17", ...document })),
  "another case of the action asked for": ({ request, ...asked }, chance) => ({
    ...asked,
    request: { ...request, action: otherCase(chance)(request.action) },
  }),
  "another case of condition keys": onStatements((statements, chance) =>
    statements.map((one) => mapKeys(one, otherCase(chance))),
  ),
  "another case of the keys of the request": ({ request, ...asked }, chance) => ({
    ...asked,
    request: {
      ...request,
      context: Object.fromEntries(
        Object.entries(request.context ?? {}).map(([key, value]) => [otherCase(chance)(key), value]),
      ),
    },
  }),
  "a list of one for a bare value": onStatements((statements) =>
    statements.map((one) =>
      mapElements(one, (value, name) => (/^(Not)?(Action|Resource)$/.test(name) ? listOf(value) : value)),
    ),
  ),
  "a bare value for a list of one": onStatements((statements) =>
    statements.map((one) =>
      mapElements(one, (value) => (Array.isArray(value) && value.length === 1 ? value[0] : value)),
    ),
  ),
  "a name for each statement": onStatements((statements) =>
    statements.map((one, index) => ({ Sid: `s${index}`, ...one })),
  ),
  "a boundary that allows everything": (asked) => ({ boundary: ALLOW_ALL, ...asked }),
  "a session policy that allows everything": (asked) => ({ sessionPolicy: ALLOW_ALL, ...asked }),
  "a key that nothing asks for": ({ request, ...asked }) => ({
    ...asked,
    request: { ...request, context: { ...request.context, "s3:nobody-asks": "x" } },
  }),
};

const LEVELS = ["deny", "iam_only", "show", "deploy", "manage"] as const;

const RANK = { explicitDeny: 0, implicitDeny: 1, allowed: 2, error: 3 };

/** What may move the answer one way only. */
const ONE_WAY: {
  [law: string]: { change: NeutralChange; holds: (before: number, after: number) => boolean };
} = {
  "adding a Deny never allows more": {
    change: (asked, chance) => ({ ...asked, policies: [...asked.policies, borrowed(chance, "Deny")] }),
    holds: (before, after) => after <= before,
  },
  "adding an Allow never denies more": {
    change: (asked, chance) => ({ ...asked, policies: [...asked.policies, borrowed(chance, "Allow")] }),
    holds: (before, after) => after >= before,
  },
  "adding a Deny to the boundary and the session policy never allows more": {
    change: ({ boundary, sessionPolicy, ...asked }, chance) => ({
      ...asked,
      ...(boundary === undefined ? {} : { boundary: joined(boundary, borrowed(chance, "Deny")) }),
      ...(sessionPolicy === undefined
        ? {}
        : { sessionPolicy: joined(sessionPolicy, borrowed(chance, "Deny")) }),
    }),
    holds: (before, after) => after <= before,
  },
  "adding an Allow to the boundary and the session policy never denies more": {
    change: ({ boundary, sessionPolicy, ...asked }, chance) => ({
      ...asked,
      ...(boundary === undefined ? {} : { boundary: joined(boundary, borrowed(chance, "Allow")) }),
      ...(sessionPolicy === undefined
        ? {}
        : { sessionPolicy: joined(sessionPolicy, borrowed(chance, "Allow")) }),
    }),
    holds: (before, after) => after >= before,
  },
  "a boundary and a session policy never allow more": {
    change: (asked, chance) => ({
      boundary: borrowed(chance, "Allow"),
      sessionPolicy: borrowed(chance, "Allow"),
      ...asked,
    }),
    holds: (before, after) => after <= before,
  },
  "a condition on every Allow never allows more": {
    change: onStatements((statements) => statements.map((one) => conditioned(one, "Allow"))),
    holds: (before, after) => after <= before,
  },
  "a condition on every Deny never denies more": {
    change: onStatements((statements) => statements.map((one) => conditioned(one, "Deny"))),
    holds: (before, after) => after >= before,
  },
  "an action more in every Allow never denies more": {
    change: onStatements((statements) => statements.map((one) => withEverything(one, "Allow", "Action"))),
    holds: (before, after) => after >= before,
  },
  "a resource more in every Deny never allows more": {
    change: onStatements((statements) => statements.map((one) => withEverything(one, "Deny", "Resource"))),
    holds: (before, after) => after <= before,
  },
  "a Deny of everything denies explicitly": {
    change: (asked) => ({
      ...asked,
      policies: [...asked.policies, { Statement: { Effect: "Deny", Action: "*", Resource: "*" } }],
    }),
    holds: (_before, after) => after === RANK.explicitDeny,
  },
  "taking a boundary away never denies more": {
    change: ({ boundary: _boundary, ...asked }) => asked,
    holds: (before, after) => after >= before,
  },
  "a higher level never denies more": {
    change: ({ level = "iam_only", ...asked }, chance) => ({
      ...asked,
      level: chance.of(LEVELS.slice(LEVELS.indexOf(level))),
    }),
    holds: (before, after) => after >= before,
  },
  "self-management never denies more": {
    change: (asked) => ({ ...asked, selfManagement: true }),
    holds: (before, after) => after >= before,
  },
};

type NeutralChange = (asked: Case, chance: Chance) => Case;

const SAMPLES = Array.from({ length: 1200 }, (_, index) => randomCase(seedOf(SEED + 1, index)))
  .map((random) => ({ random, before: fastAnswer(random) }))
  .filter(({ before }) => before.decision !== "error");

describe("the answer stays as it is after", () => {
  for (const [change, apply] of Object.entries(NEUTRAL)) {
    test(change, () => {
      const broken = SAMPLES.filter(({ random, before }, index) => {
        const after = fastAnswer(changed(random, apply, index));
        return after.decision !== before.decision || after.rule !== before.rule;
      });
      expect(shown(broken, apply)).toEqual([]);
    });
  }
});

describe("one way only", () => {
  for (const [law, { change, holds }] of Object.entries(ONE_WAY)) {
    test(law, () => {
      const broken = SAMPLES.filter(({ random, before }, index) => {
        if (before.rule === "account-owner") return false;
        const after = fastAnswer(changed(random, change, index));
        return after.decision !== "error" && !holds(RANK[before.decision], RANK[after.decision]);
      });
      expect(shown(broken, change)).toEqual([]);
    });
  }
});

function changed({ asked, more }: RandomCase, change: NeutralChange, index: number): RandomCase {
  return { asked: change(asked, new Chance(index)), more };
}

function shown(broken: readonly { random: RandomCase; before: Answer }[], change: NeutralChange): unknown[] {
  return broken.slice(0, 1).map(({ random, before }) => ({
    line: lineOf(random),
    before,
    after: fastAnswer(changed(random, change, 0)),
  }));
}

function onStatements(change: (statements: Statement[], chance: Chance) => Statement[]): NeutralChange {
  return (asked, chance) =>
    onDocuments(asked, ({ Statement, ...rest }) => ({
      ...rest,
      Statement: change([Statement].flat(), chance),
    }));
}

function onDocuments(asked: Case, change: (document: Document) => Document): Case {
  const { boundary, sessionPolicy } = asked;
  return {
    ...asked,
    policies: asked.policies.map((document) => change(document as Document)),
    ...(boundary === undefined ? {} : { boundary: change(boundary as Document) }),
    ...(sessionPolicy === undefined ? {} : { sessionPolicy: change(sessionPolicy as Document) }),
  };
}

/** One statement for each action, or resource, in its list. */
function split(statement: Statement, element: "Action" | "Resource"): Statement[] {
  if (!(element in statement)) return [statement];
  return listOf(statement[element]).map((one) => ({ ...statement, [element]: one }));
}

function mapElements(statement: Statement, change: (value: unknown, name: string) => unknown): Statement {
  return Object.fromEntries(Object.entries(statement).map(([name, value]) => [name, change(value, name)]));
}

function mapTexts(value: unknown, change: (text: string) => string): unknown {
  return listOf(value).map((text) => (typeof text === "string" ? change(text) : text));
}

function mapKeys({ Condition, ...statement }: Statement, change: (key: string) => string): Statement {
  if (Condition === undefined) return statement;
  const operators = Object.entries(Condition as { [operator: string]: { [key: string]: unknown } });
  const renamed = operators.map(([operator, keys]) => [
    operator,
    Object.fromEntries(Object.entries(keys).map(([key, values]) => [change(key), values])),
  ]);
  return { ...statement, Condition: Object.fromEntries(renamed) };
}

function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.toReversed();
  if (typeof value !== "object" || value === null || "rawJSON" in value) return value;
  const entries = Object.entries(value).map(([name, member]) => [name, reordered(member)]);
  return Object.fromEntries(entries.toReversed());
}

function otherCase(chance: Chance): (text: string) => string {
  return (text) => (chance.is(0.5) ? text.toUpperCase() : text.toLowerCase());
}

const asciiCase =
  (chance: Chance) =>
  (text: string): string =>
    text.replaceAll(/\$\{[^}]*\}|[A-Za-z]+/g, (part) =>
      part.startsWith("$") ? part : otherCase(chance)(part),
    );

const variableCase =
  (chance: Chance) =>
  (text: string): string =>
    text.replaceAll(/\$\{[^},]*/g, otherCase(chance));

const doubled = (text: string): string =>
  text.replaceAll(/\$\{[^}]*\}|\*/g, (part) => (part === "*" && !/^\*(:\*)?$/.test(text) ? "**" : part));

function repeated(value: unknown): unknown {
  return Array.isArray(value) ? [...value, value[0]] : value;
}

/** The Condition's blocks, each as a list of its keys. */
function blocksOf({ Condition }: Statement): [string, [string, unknown][]][] {
  const blocks = Object.entries((Condition ?? {}) as { [operator: string]: object });
  return blocks.map(([operator, keys]) => [operator, Object.entries(keys)]);
}

function mapConditions(
  statement: Statement,
  change: (operator: string, values: unknown) => unknown,
): Statement {
  if (!("Condition" in statement)) return statement;
  const blocks = blocksOf(statement).map(([operator, keys]) => [
    operator,
    Object.fromEntries(keys.map(([key, values]) => [key, change(operator, values)])),
  ]);
  return { ...statement, Condition: Object.fromEntries(blocks) };
}

/** Blocks that get the same name stay apart, each in a statement that has the others' effect only together: left as is. */
function mapOperators(statement: Statement, change: (operator: string) => string): Statement {
  const names = blocksOf(statement).map(([operator]) => change(operator));
  if (new Set(names).size < names.length || !("Condition" in statement)) return statement;
  const blocks = blocksOf(statement).map(([operator, keys]) => [change(operator), Object.fromEntries(keys)]);
  return { ...statement, Condition: Object.fromEntries(blocks) };
}

/** One statement for each value of the first condition whose values are alternatives. */
function splitValues(statement: Statement): Statement[] {
  const found = blocksOf(statement)
    .flatMap(([operator, keys]) => keys.map(([key, values]) => ({ operator, key, values })))
    .find(({ operator, values }) => Array.isArray(values) && !/Not|ForAllValues/.test(operator));
  if (!found) return [statement];
  return listOf(found.values).map((value) => {
    const blocks = blocksOf(statement).map(([operator, keys]) => [
      operator,
      Object.fromEntries(
        keys.map(([key, values]) => [key, operator === found.operator && key === found.key ? value : values]),
      ),
    ]);
    return { ...statement, Condition: Object.fromEntries(blocks) };
  });
}

function conditioned(statement: Statement, effect: string): Statement {
  if (statement["Effect"] !== effect) return statement;
  const condition = (statement["Condition"] ?? {}) as { [operator: string]: object };
  const { ["StringLike"]: likes = {} } = condition;
  return { ...statement, Condition: { ...condition, StringLike: { ...likes, "s3:prefix": "a*" } } };
}

function withEverything(statement: Statement, effect: string, element: string): Statement {
  if (statement["Effect"] !== effect || !(element in statement)) return statement;
  return { ...statement, [element]: [...listOf(statement[element]), "*"] };
}

function joined(document: unknown, other: unknown): unknown {
  const { Statement, ...rest } = document as Document;
  return { ...rest, Statement: [...[Statement].flat(), ...[(other as Document).Statement].flat()] };
}

/** A document of some other case, all of its statements with one effect. */
function borrowed(chance: Chance, effect: "Allow" | "Deny"): unknown {
  const [document] = SAMPLES[chance.below(SAMPLES.length)]?.random.asked.policies ?? [];
  const { Statement, ...rest } = (document ?? ALLOW_ALL) as Document;
  return { ...rest, Statement: [Statement].flat().map((one) => ({ ...one, Effect: effect })) };
}
