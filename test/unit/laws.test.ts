import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import actions from "../../shared/decision/actions.json" with { type: "json" };
import { type Decision, decide, type Facts } from "../../shared/decision/decide.ts";
import { Context } from "../../shared/iam/context.ts";
import type { NamedPolicy } from "../../shared/iam/evaluate.ts";
import { compilePolicy } from "../../shared/iam/policy.ts";
import { readRequest } from "../../shared/iam/request.ts";
import { Level } from "../../shared/model/level.ts";

const STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/2f18b4cb-4de5-4429-a149-ff7da9f0d8ee/";
const OTHER_STACK = "arn:aws:opsworks:us-east-1:123456789012:stack/7a90957e-6c8b-4f31-9d2e-4b1f0a6c8e55/";
const POLICY_ONLY = [
  "opsworks:CreateStack",
  "opsworks:CloneStack",
  "opsworks:CreateUserProfile",
  "opsworks:DeleteUserProfile",
  "opsworks:DescribeUserProfiles",
  "opsworks:UpdateUserProfile",
];

type Statement = {
  readonly Effect: "Allow" | "Deny";
  readonly Action: string[];
  readonly Resource: string[];
  readonly Condition?: { readonly StringEquals: { readonly "aws:PrincipalTag/team": string } };
};
type Document = Statement[];
type Question = { readonly action: string; readonly resource: string; readonly team: string | undefined };
/** A user and what they ask, as plain data. */
type Situation = {
  readonly level: Level | undefined;
  readonly policies: Document[];
  readonly boundary: Document | undefined;
  readonly sessionPolicy: Document | undefined;
  readonly unreadable: readonly string[];
  readonly selfManagement: boolean;
  readonly asked: Question;
};

const Action = fc.constantFrom(
  "opsworks:DescribeLayers",
  "opsworks:CreateDeployment",
  "opsworks:CreateLayer",
  "opsworks:DeleteLayer",
  "opsworks:DescribeMyUserProfile",
  "opsworks:TagResource",
  ...POLICY_ONLY,
);
const ActionPattern = fc.oneof(
  { weight: 3, arbitrary: Action },
  {
    weight: 2,
    arbitrary: fc.constantFrom("*", "opsworks:*", "opsworks:Describe*", "opsworks:Create*", "s3:*"),
  },
);
const ResourcePattern = fc.constantFrom(
  "*",
  "*",
  STACK,
  OTHER_STACK,
  "arn:aws:opsworks:us-east-1:*",
  "arn:aws:opsworks:eu-west-1:*",
);
const Team = fc.constantFrom("red", "blue");
const statement = (Effect: "Allow" | "Deny"): fc.Arbitrary<Statement> =>
  fc
    .record({
      Action: fc.uniqueArray(ActionPattern, { minLength: 1, maxLength: 3 }),
      Resource: fc.uniqueArray(ResourcePattern, { minLength: 1, maxLength: 2 }),
      team: fc.option(Team, { nil: undefined, freq: 2 }),
    })
    .map(({ team, ...rest }) => ({
      Effect,
      ...rest,
      ...(team === undefined ? {} : { Condition: { StringEquals: { "aws:PrincipalTag/team": team } } }),
    }));
const Allow = statement("Allow");
const Deny = statement("Deny");
const Policy = fc.array(fc.oneof({ weight: 5, arbitrary: Allow }, { weight: 1, arbitrary: Deny }), {
  minLength: 1,
  maxLength: 3,
});
const Full: Document = [{ Effect: "Allow", Action: ["*"], Resource: ["*"] }];
const Cap = fc.option(
  fc
    .tuple(fc.constantFrom(true, true, false), Policy)
    .map(([wide, document]) => (wide ? [...Full, ...document] : document)),
  { nil: undefined, freq: 2 },
);
const Situations: fc.Arbitrary<Situation> = fc.record({
  level: fc.option(fc.constantFrom(...Level.options, "show" as const, "deploy" as const, "manage" as const), {
    nil: undefined,
  }),
  policies: fc.array(Policy, { maxLength: 3 }),
  boundary: Cap,
  sessionPolicy: Cap,
  unreadable: fc.oneof(
    { weight: 9, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constant(["Broken"]) },
  ),
  selfManagement: fc.boolean(),
  asked: fc.record({
    action: Action,
    resource: fc.constantFrom(STACK, STACK, STACK, OTHER_STACK, "*"),
    team: fc.option(Team, { nil: undefined, freq: 3 }),
  }),
});

function named(name: string, document: Document): NamedPolicy {
  return { name, policy: compilePolicy({ Version: "2012-10-17", Statement: document }) };
}

function factsOf({ level, policies, boundary, sessionPolicy, unreadable, selfManagement }: Situation): Facts {
  return {
    accountOwner: false,
    ...(level === undefined ? {} : { grant: { stackArn: STACK, level } }),
    policies: policies.map((document, index) => named(`policy ${index}`, document)),
    ...(boundary === undefined ? {} : { boundary: named("boundary", boundary) }),
    ...(sessionPolicy === undefined ? {} : { sessionPolicy: named("session policy", sessionPolicy) }),
    unreadable,
    selfManagement,
  };
}

function ask(facts: Facts, { action, resource, team }: Question): Decision {
  const context = new Context(team === undefined ? [] : [["aws:PrincipalTag/team", team]]);
  return decide(facts, readRequest(action, resource, context));
}

const decideOn = (situation: Situation) => ask(factsOf(situation), situation.asked);

function law(name: string, holds: (situation: Situation) => void): void {
  test(name, () => {
    fc.assert(fc.property(Situations, holds), { numRuns: 500 });
  });
}

/** The same rules once more, slowly, over the plain data. */
function plainly(situation: Situation): { decision: Decision["decision"]; rule: Decision["rule"] } {
  const { asked, boundary, sessionPolicy } = situation;
  const covers = (pattern: string, text: string) =>
    pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : pattern === text;
  const matched = (document: Document, effect: string) =>
    document.some(
      ({ Effect, Action, Resource, Condition }) =>
        Effect === effect &&
        Action.some((pattern) => covers(pattern, asked.action)) &&
        Resource.some((pattern) =>
          asked.resource === "*" ? pattern === "*" : covers(pattern, asked.resource),
        ) &&
        (Condition === undefined || Condition.StringEquals["aws:PrincipalTag/team"] === asked.team),
    );
  const level = asked.resource === STACK ? situation.level : undefined;
  const caps = [boundary, sessionPolicy].filter((cap) => cap !== undefined);
  if (level === "deny") return { decision: "explicitDeny", rule: "level-deny" };
  if ([...situation.policies, ...caps].some((document) => matched(document, "Deny")))
    return { decision: "explicitDeny", rule: "policy-deny" };
  if (situation.unreadable.length > 0) return { decision: "explicitDeny", rule: "policy-unreadable" };
  if (boundary && !matched(boundary, "Allow")) return { decision: "implicitDeny", rule: "boundary" };
  if (sessionPolicy && !matched(sessionPolicy, "Allow"))
    return { decision: "implicitDeny", rule: "session-policy" };
  if (situation.policies.some((document) => matched(document, "Allow")))
    return { decision: "allowed", rule: "policy-allow" };
  if (level && isIncluded(level, asked.action)) return { decision: "allowed", rule: "level-allow" };
  if (asked.action.includes("MyUserProfile") && situation.selfManagement)
    return { decision: "allowed", rule: "self-management" };
  return { decision: "implicitDeny", rule: "default-deny" };
}

/** As the table of levels has it, read anew. */
function isIncluded(level: Level, asked: string): boolean {
  const [, least = ""] =
    Object.entries(actions).find(([name]) => name.toLowerCase() === asked.toLowerCase()) ?? [];
  const levels: readonly string[] = ["show", "deploy", "manage"];
  return levels.includes(least) && levels.indexOf(level) >= levels.indexOf(least);
}

describe("the joint decision", () => {
  law("a deny level beats every policy", (situation) => {
    const asked = { ...situation.asked, resource: STACK };
    const policies = [...situation.policies, Full];
    const decision = decideOn({ ...situation, policies, level: "deny", asked });
    expect(decision).toMatchObject({ decision: "explicitDeny", rule: "level-deny" });
  });

  test("a policy deny beats every level", () => {
    fc.assert(
      fc.property(Situations, Deny, fc.nat(), (situation, deny, place) => {
        const { action, resource } = situation.asked;
        const matching = {
          Effect: deny.Effect,
          Action: [...deny.Action, action],
          Resource: [...deny.Resource, resource],
        };
        const document: Document = [...Full, matching];
        const policies = situation.policies.toSpliced(place % (situation.policies.length + 1), 0, document);
        const { decision, rule } = decideOn({ ...situation, policies });
        expect(decision).toBe("explicitDeny");
        expect(["policy-deny", "level-deny"]).toContain(rule);
        expect(rule === "level-deny").toBe(situation.level === "deny" && resource === STACK);
      }),
      { numRuns: 500 },
    );
  });

  law("each level allows what the one below allows", (situation) => {
    const decisions = Level.options.map((level) => decideOn({ ...situation, level }).decision);
    const from = decisions.indexOf("allowed");
    if (from >= 0) expect(decisions.slice(from).every((decision) => decision === "allowed")).toBe(true);
  });

  law("no grant is iam_only", (situation) => {
    const { decision, rule } = decideOn({ ...situation, level: undefined });
    expect(decideOn({ ...situation, level: "iam_only" })).toMatchObject({ decision, rule });
  });

  test("manage never gives the six policy-only actions", () => {
    fc.assert(
      fc.property(Situations, fc.constantFrom(...POLICY_ONLY), (situation, action) => {
        const asked = { ...situation.asked, action };
        const { decision, rule } = decideOn({ ...situation, level: "manage", asked });
        expect(decision === "allowed").toBe(rule === "policy-allow");
        expect(decideOn({ ...situation, policies: [], level: "manage", asked }).decision).not.toBe("allowed");
      }),
      { numRuns: 500 },
    );
  });

  law("nothing is allowed that neither level nor policy allows", (situation) => {
    const bare = { ...situation, boundary: undefined, sessionPolicy: undefined, policies: [] };
    const byPolicy = situation.policies.some(
      (document) =>
        decideOn({ ...bare, level: undefined, selfManagement: false, policies: [document] }).decision ===
        "allowed",
    );
    const byLevel = decideOn(bare).decision === "allowed";
    if (decideOn(situation).decision === "allowed") expect(byPolicy || byLevel).toBe(true);
  });

  test("the order of policies and statements never matters", () => {
    fc.assert(
      fc.property(Situations, fc.infiniteStream(fc.nat()), (situation, numbers) => {
        const shuffle = <T>(list: readonly T[]): T[] =>
          list
            .map((value) => ({ value, key: numbers.next().value }))
            .toSorted((a, b) => a.key - b.key)
            .map(({ value }) => value);
        const { decision, rule } = decideOn(situation);
        const shuffled = {
          ...situation,
          policies: shuffle(situation.policies.map(shuffle)),
          boundary: situation.boundary && shuffle(situation.boundary),
          sessionPolicy: situation.sessionPolicy && shuffle(situation.sessionPolicy),
        };
        expect(decideOn(shuffled)).toMatchObject({ decision, rule });
      }),
      { numRuns: 500 },
    );
  });

  law("it makes no difference in how many documents the statements are", (situation) => {
    const { decision, rule } = decideOn(situation);
    const split = situation.policies.flat().map((one) => [one]);
    expect(decideOn({ ...situation, policies: split })).toMatchObject({ decision, rule });
  });

  law("an unreadable policy never ends in an allow", (situation) => {
    expect(decideOn({ ...situation, unreadable: ["Broken"] }).decision).toBe("explicitDeny");
  });

  law("a boundary and a session policy never add anything", (situation) => {
    const uncapped = { ...situation, boundary: undefined, sessionPolicy: undefined };
    const before = decideOn(uncapped).decision;
    for (const capped of [
      situation,
      { ...situation, boundary: undefined },
      { ...situation, sessionPolicy: undefined },
    ]) {
      if (decideOn(capped).decision === "allowed") expect(before).toBe("allowed");
    }
  });

  law("a boundary and a session policy that allow everything take nothing away", (situation) => {
    const uncapped = { ...situation, boundary: undefined, sessionPolicy: undefined };
    expect(decideOn({ ...situation, boundary: Full, sessionPolicy: Full })).toEqual(decideOn(uncapped));
  });

  test("adding a Deny statement never allows more", () => {
    fc.assert(
      fc.property(Situations, Deny, (situation, deny) => {
        const after = decideOn({ ...situation, policies: [...situation.policies, [deny]] }).decision;
        if (after === "allowed") expect(decideOn(situation).decision).toBe("allowed");
        else expect(["explicitDeny", decideOn(situation).decision]).toContain(after);
      }),
      { numRuns: 500 },
    );
  });

  test("adding an Allow statement to a policy never denies more", () => {
    fc.assert(
      fc.property(Situations, Allow, (situation, allow) => {
        const before = decideOn(situation).decision;
        const after = decideOn({ ...situation, policies: [...situation.policies, [allow]] }).decision;
        expect([before, "allowed"]).toContain(after);
        if (before === "explicitDeny") expect(after).toBe("explicitDeny");
      }),
      { numRuns: 500 },
    );
  });

  law("the account root is allowed", (situation) => {
    const facts = { ...factsOf(situation), accountOwner: true };
    expect(ask(facts, situation.asked)).toMatchObject({ decision: "allowed", rule: "account-owner" });
  });

  law("the level on one stack says nothing about another", (situation) => {
    const asked = { ...situation.asked, resource: OTHER_STACK };
    const decision = decideOn({ ...situation, asked });
    expect(decideOn({ ...situation, asked, level: undefined })).toEqual(decision);
    expect(decision.level).toBeUndefined();
  });

  law("the statement that decided is there, has that effect, and decides alone", (situation) => {
    const { rule, statement } = decideOn(situation);
    expect(statement !== undefined).toBe(rule === "policy-deny" || rule === "policy-allow");
    if (!statement) return;
    const documents = new Map([
      ...situation.policies.map((document, index) => [`policy ${index}`, document] as const),
      ["boundary", situation.boundary ?? []],
      ["session policy", situation.sessionPolicy ?? []],
    ]);
    const found = documents.get(statement.policy)?.[statement.index];
    expect(found?.Effect).toBe(rule === "policy-deny" ? "Deny" : "Allow");
    const alone = { policies: found ? [[found]] : [], boundary: undefined, sessionPolicy: undefined };
    expect(decideOn({ ...situation, ...alone, level: undefined, unreadable: [] }).rule).toBe(rule);
  });

  law("an answer to the same question is the same answer", (situation) => {
    expect(decideOn(situation)).toEqual(decideOn(structuredClone(situation)));
  });

  test("it agrees with the rules applied one by one, with every verdict and rule well represented", () => {
    const numRuns = 4000;
    const verdicts = new Map<string, number>();
    const rules = new Set<string>();
    fc.assert(
      fc.property(Situations, (situation) => {
        const expected = plainly(situation);
        verdicts.set(expected.decision, (verdicts.get(expected.decision) ?? 0) + 1);
        rules.add(expected.rule);
        expect(decideOn(situation)).toMatchObject(expected);
      }),
      { numRuns },
    );
    for (const verdict of ["allowed", "explicitDeny", "implicitDeny"]) {
      expect((verdicts.get(verdict) ?? 0) / numRuns, verdict).toBeGreaterThan(0.15);
    }
    expect([...rules].toSorted()).toEqual([
      "boundary",
      "default-deny",
      "level-allow",
      "level-deny",
      "policy-allow",
      "policy-deny",
      "policy-unreadable",
      "self-management",
      "session-policy",
    ]);
  });
});
