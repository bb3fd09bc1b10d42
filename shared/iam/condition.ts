import type { Context } from "./context.ts";
import type { ConditionText } from "./document.ts";
import { InvalidPolicy } from "./invalid-policy.ts";
import { findOperator, type Operator } from "./operators.ts";
import type { Pattern } from "./pattern.ts";

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

const SHAPE = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/;

/** Splits `ForAnyValue:StringEqualsIfExists` into its parts. @throws InvalidPolicy for an unknown operator */
export function readOperator(
  text: string,
  path: string,
): Pick<Condition, "operator" | "qualifier" | "ifExists"> {
  const [, qualifier, name = "", ifExists] = SHAPE.exec(text) ?? [];
  const operator = findOperator(name);
  if (!operator) throw new InvalidPolicy(path, `\`${text}\` is no condition operator`);
  if (name === "Null" && ifExists) throw new InvalidPolicy(path, "`Null` cannot be combined with `IfExists`");
  return {
    operator,
    ...(qualifier === "ForAllValues" || qualifier === "ForAnyValue" ? { qualifier } : {}),
    ifExists: ifExists !== undefined,
  };
}

/** @throws InvalidPolicy for an unknown operator, or a value it does not take */
export function compileCondition(text: ConditionText, variables: boolean): Condition {
  const { operator, ...qualifiers } = readOperator(text.operator, text.path);
  return {
    operator,
    ...qualifiers,
    key: text.key.toLowerCase(),
    listed: text.values.map((value) => {
      try {
        return operator.compile(value, variables);
      } catch (error) {
        if (error instanceof RangeError) throw new InvalidPolicy(text.path, error.message);
        throw error;
      }
    }),
    ...(operator.name === "Null"
      ? { wants: text.values.map((value) => value.toLowerCase() === "true") }
      : {}),
  };
}

/**
 * Whether the condition holds. A missing key fails a positive operator and meets a negated one; a list without a set
 * qualifier meets neither. An empty list counts as no value for `Null`.
 *
 * Source: IAM User Guide, "Condition operators" and "Set operators for multivalued context keys".
 */
export function holds(condition: Condition, context: Context): boolean {
  const { operator, qualifier, ifExists, listed, wants } = condition;
  const value = context.ask(condition.key);
  if (wants) {
    if (qualifier) return qualifier === "ForAllValues";
    const isAbsent = value === undefined || value.values.length === 0;
    return wants.includes(isAbsent);
  }
  if (value === undefined) {
    return ifExists || qualifier === "ForAllValues" || (qualifier === undefined && operator.negated);
  }
  const meets = (candidate: string) =>
    listed.some((pattern) => pattern(candidate, context) === true) !== operator.negated;
  if (qualifier === "ForAllValues") return value.values.every(meets);
  if (qualifier === "ForAnyValue") return value.values.some(meets);
  return !value.list && value.values.every(meets);
}
