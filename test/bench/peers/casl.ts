import {
  Ability,
  type AbilityTuple,
  buildMongoQueryMatcher,
  createMongoAbility,
  type MatchConditions,
  type MongoAbility,
  type MongoQuery,
  type RawRuleFrom,
  subject,
} from "@casl/ability";
import { $and, $nor, $or, and, nor, or } from "@ucast/mongo2js";
import type { Engine } from "../engine.ts";
import type { Question, User, Workload } from "../workload.ts";
import {
  addressNumber,
  attributesOf,
  blockOf,
  like,
  type Rule,
  rulesOf,
  secondsOf,
  type Test,
  unknownTest,
  writtenOut,
} from "./rules.ts";
import { compileTests } from "./tests.ts";

/** `$or` and the like are CASL's own, but not among those it comes with. */
const queryMatcher = buildMongoQueryMatcher({ $and, $nor, $or }, { and, nor, or });

export function engines(workload: Workload): Engine[] {
  return [
    row(
      workload,
      "CASL",
      "peer",
      "an ability for each user, conditions in CASL's query language with `$or`; addresses are numbers",
      (user) => createMongoAbility(rawRules(user, queryOf), { conditionsMatcher: queryMatcher }),
    ),
    row(
      workload,
      "CASL, functions",
      "by hand",
      "an ability for each user, each condition a function of ours: CASL only finds the rules",
      (user) => new Ability(rawRules(user, functionOf), { conditionsMatcher: (matches) => matches }),
    ),
  ];
}

type CanSay = Pick<MongoAbility, "can">;

function row(
  { users, questions }: Workload,
  name: string,
  kind: Engine["kind"],
  note: string,
  abilityOf: (user: User) => CanSay,
): Engine {
  const abilities = new Map(users.map((user) => [user, abilityOf(user)]));
  const asked = questions.map((question) => {
    const ability = abilities.get(question.user);
    if (!ability) throw new Error(`${question.user.arn} is no user of the workload`);
    return { ability, action: question.action, stack: stackOf(question) };
  });
  return {
    name,
    note,
    kind,
    perPass: asked.length,
    compared: asked.length,
    isAllowed: (index) => {
      const one = asked[index];
      return one !== undefined && one.ability.can(one.action, one.stack);
    },
    pass: () => {
      let allowed = 0;
      for (const { ability, action, stack } of asked) if (ability.can(action, stack)) allowed += 1;
      return allowed;
    },
  };
}

function stackOf(question: Question) {
  return subject("Stack", { arn: question.resource, ...attributesOf(question, addressNumber) });
}

/** The denying rules last, since the last one that applies wins; `manage` is CASL's word for every action. */
function rawRules<C>(user: User, conditionOf: (rule: Rule) => C): RawRuleFrom<AbilityTuple, C>[] {
  const rank = { Allow: 0, Deny: 1 };
  return rulesOf(user)
    .toSorted((left, right) => rank[left.effect] - rank[right.effect])
    .map((rule) => ({
      action: rule.actions ? writtenOut(rule.actions) : "manage",
      subject: "Stack",
      inverted: rule.effect === "Deny",
      reason: rule.name,
      ...(rule.stacks || rule.tests.length > 0 ? { conditions: conditionOf(rule) } : {}),
    }));
}

function functionOf({ stacks, tests }: Rule): MatchConditions {
  const holds = compileTests(tests);
  if (!stacks) return holds;
  const arns = new Set(stacks);
  return (stack) => arns.has(stack["arn"]) && holds(stack);
}

function queryOf({ stacks, tests }: Rule): MongoQuery {
  const queries = [...(stacks ? [{ arn: oneOf(stacks) }] : []), ...tests.map(queryOfTest)];
  return queries.length === 1 ? (queries[0] ?? {}) : { $and: queries };
}

type Query = Record<string, unknown>;

function queryOfTest(test: Test): Query {
  const { operator, key, values } = test;
  const [value = ""] = values;
  switch (operator) {
    case "Bool":
      return { [key]: value === "true" };
    case "BoolIfExists":
      return { $or: [{ [key]: value === "true" }, { [key]: { $exists: false } }] };
    case "StringEquals":
      return { [key]: oneOf(values) };
    case "StringLike":
      return { [key]: { $regex: like(value) } };
    case "NumericLessThan":
      return { [key]: { $lt: Number(value) } };
    case "NumericGreaterThan":
      return { [key]: { $gt: Number(value) } };
    case "DateLessThan":
      return { [key]: { $lt: secondsOf(value) } };
    case "DateGreaterThan":
      return { [key]: { $gt: secondsOf(value) } };
    case "IpAddress":
      return inBlocks(key, values);
    case "NotIpAddress":
      return { $nor: [inBlocks(key, values)] };
    default:
      throw unknownTest(test);
  }
}

function oneOf(values: readonly string[]): unknown {
  return values.length === 1 ? values[0] : { $in: values };
}

function inBlocks(key: string, cidrs: readonly string[]): Query {
  const queries = cidrs.map(blockOf).map(({ first, last }) => ({ [key]: { $gte: first, $lte: last } }));
  return queries.length === 1 ? (queries[0] ?? {}) : { $or: queries };
}
