import type { Context } from "./context.ts";
import type { ConditionText } from "./document.ts";
import { quote } from "./finding.ts";
import { internName } from "./remember.ts";
import { findOperator, type Operator, operatorMeantBy } from "./operators.ts";
import type { Pattern } from "./pattern.ts";
import { compileEntries, type Place } from "./place.ts";

const QUALIFIERS = ["ForAllValues", "ForAnyValue"] as const;
type Qualifier = (typeof QUALIFIERS)[number];

/** One key under one operator of a `Condition` block. */
export type Condition = {
  readonly operator: Operator;
  /** In lower case. */
  readonly key: string;
  readonly holds: (context: Context) => boolean;
};

/** An operator as a condition block writes it. */
export type OperatorUse = {
  readonly operator: Operator;
  readonly qualifier: Qualifier | undefined;
  readonly ifExists: boolean;
};

const SHAPE = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Splits `ForAnyValue:StringEqualsIfExists` into its parts; of an unknown operator there are none. */
export function readOperator(text: string, place: Place): OperatorUse | undefined {
  // Stryker disable next-line StringLiteral,ArrayDeclaration: any name that is no operator is as good
  const [, qualifier, name = "", ifExists] = SHAPE.exec(text) ?? [];
  const operator = findOperator(name);
  if (!operator) {
    const meant = operatorMeantBy(text);
    const advice = meant ? `write it \`${meant}\`` : "use one of IAM's";
    place.fault("unknown-operator", `${quote(text)} is no condition operator, so ${advice}`);
    return undefined;
  }
  if (name === "Null" && ifExists) {
    place.fault("null-if-exists", "`Null` cannot be combined with `IfExists`, so write `Null`");
  }
  return {
    operator,
    qualifier: QUALIFIERS.find((known) => known === qualifier),
    ifExists: ifExists !== undefined,
  };
}

/**
 * A missing key fails a positive operator and meets a negated one; a list without a set qualifier meets neither.
 *
 * Source: IAM User Guide, "Condition operators" and "Set operators for multivalued context keys".
 */
export function compileCondition({ use, key: name, values }: ConditionText, variables: boolean): Condition {
  const { operator, qualifier, ifExists } = use;
  const key = internName(name);
  const listed = compileEntries(values, (value) => operator.compile(value, variables));
  if (operator.name === "Null") {
    return { operator, key, holds: compileNull(key, qualifier, values) };
  }
  const ifMissing = ifExists || qualifier === "ForAllValues" || (qualifier === undefined && operator.negated);
  const meets = compileListed(listed, operator.negated);
  const isEnough = qualifier === "ForAnyValue";
  const holds = (context: Context): boolean => {
    const value = context.ask(key);
    if (value === undefined) return ifMissing;
    if (typeof value === "string") return meets(value, context);
    if (qualifier === undefined) return false;
    for (const candidate of value) {
      if (meets(candidate, context) === isEnough) return isEnough;
    }
    return !isEnough;
  };
  return { operator, key, holds };
}

/** Whether the key must be absent (`true`) or present; an empty list counts as no value. */
function compileNull(
  key: string,
  qualifier: Qualifier | undefined,
  values: ConditionText["values"],
): Condition["holds"] {
  const wants = new Set(values.map(({ text }) => text.toLowerCase() === "true"));
  return (context) => {
    const value = context.ask(key);
    if (qualifier) return qualifier === "ForAllValues";
    return wants.has(value === undefined || (typeof value !== "string" && value.length === 0));
  };
}

/** Whether one value of the request equals one of the listed ones; negated, none. */
function compileListed(
  listed: readonly Pattern[],
  negated: boolean,
): (value: string, context: Context) => boolean {
  const [only] = listed;
  // Stryker disable next-line ConditionalExpression: what follows does the same, slower
  if (only && listed.length === 1) return (value, context) => (only(value, context) === true) !== negated;
  return (value, context) => {
    for (const pattern of listed) {
      if (pattern(value, context)) return !negated;
    }
    return negated;
  };
}
