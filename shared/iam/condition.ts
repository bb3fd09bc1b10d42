import type { Context } from "./context.ts";
import type { ConditionText } from "./document.ts";
import { quote } from "./finding.ts";
import { internName } from "./remember.ts";
import { findOperator, type Operator } from "./operators.ts";
import type { Pattern } from "./pattern.ts";
import { compileEntries, type Place } from "./place.ts";

type Qualifier = "ForAllValues" | "ForAnyValue";

/** One key under one operator of a `Condition` block. */
export type Condition = {
  readonly operator: Operator;
  readonly qualifier?: Qualifier;
  readonly ifExists: boolean;
  /** In lower case. */
  readonly key: string;
  readonly listed: readonly Pattern[];
  /** Of `Null` alone: whether the key must be absent, must be present, or either (which always holds). */
  readonly wants?: readonly boolean[];
};

/** An operator as a condition block writes it. */
export type OperatorUse = Pick<Condition, "operator" | "qualifier" | "ifExists">;

const SHAPE = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Splits `ForAnyValue:StringEqualsIfExists` into its parts; of an unknown operator there are none. */
export function readOperator(text: string, place: Place): OperatorUse | undefined {
  const [, qualifier, name = "", ifExists] = SHAPE.exec(text) ?? [];
  const operator = findOperator(name);
  if (!operator) {
    place.fault("unknown-operator", `${quote(text)} is no condition operator, so use one of IAM's`);
    return undefined;
  }
  if (name === "Null" && ifExists) {
    place.fault("null-if-exists", "`Null` cannot be combined with `IfExists`, so write `Null`");
  }
  return {
    operator,
    ...(qualifier === "ForAllValues" || qualifier === "ForAnyValue" ? { qualifier } : {}),
    ifExists: ifExists !== undefined,
  };
}

export function compileCondition({ use, key, values }: ConditionText, variables: boolean): Condition {
  const { operator } = use;
  return {
    ...use,
    key: internName(key),
    listed: compileEntries(values, (value) => operator.compile(value, variables)),
    ...(operator.name === "Null" ? { wants: values.map(({ text }) => text.toLowerCase() === "true") } : {}),
  };
}

/**
 * Whether the condition holds. A missing key fails a positive operator and meets a negated one; a list without a set
 * qualifier meets neither. An empty list counts as no value for `Null`.
 *
 * Source: IAM User Guide, "Condition operators" and "Set operators for multivalued context keys".
 */
export function holds(condition: Condition, context: Context): boolean {
  const { operator, qualifier, ifExists, wants } = condition;
  const value = context.ask(condition.key);
  if (wants) {
    if (qualifier) return qualifier === "ForAllValues";
    const isAbsent = value === undefined || (typeof value !== "string" && value.length === 0);
    return wants.includes(isAbsent);
  }
  if (value === undefined) {
    return ifExists || qualifier === "ForAllValues" || (qualifier === undefined && operator.negated);
  }
  if (typeof value === "string") return meets(condition, value, context);
  if (qualifier === undefined) return false;
  const isEnough = qualifier === "ForAnyValue";
  for (const candidate of value) {
    if (meets(condition, candidate, context) === isEnough) return isEnough;
  }
  return !isEnough;
}

/** Whether one value of the request equals one of the listed ones; negated, none. */
function meets({ operator, listed }: Condition, candidate: string, context: Context): boolean {
  for (const pattern of listed) {
    if (pattern(candidate, context)) return !operator.negated;
  }
  return operator.negated;
}
