/** What a policy document must be before it is read: the first fault found, or undefined. */
import { readOperator, TESTS } from "./plain-conditions.ts";
import { readBool, readBytes, readDate, readNumber, readRange } from "./plain-values.ts";

export type Json = { [name: string]: unknown };

export function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [value];
}

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

function isRawNumber(value: unknown): value is { rawJSON: string } {
  return JSON.isRawJSON(value);
}

/** A condition value as text; a number keeps the digits it was written with. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return isRawNumber(value) ? value.rawJSON : undefined;
}

export function faultOf(document: unknown): string | undefined {
  if (!isObject(document)) return "no object";
  const stranger = Object.keys(document).find((name) => !["Version", "Id", "Statement"].includes(name));
  if (stranger !== undefined) return `unknown element ${stranger}`;
  const version = document["Version"];
  if (version !== undefined && version !== "2008-10-17" && version !== "2012-10-17") return "unknown Version";
  if (document["Id"] !== undefined && typeof document["Id"] !== "string") return "an Id that is no text";
  if (document["Statement"] === undefined) return "no Statement";
  if (listOf(document["Statement"]).length === 0) return "no statements";
  if (listOf(document["Statement"]).length > 1000) return "more than 1,000 statements";
  if (textsIn(document).some((text) => !/^[\t\n\r\u0020-\u00ff]*$/.test(text))) return "a character";
  const sids = new Set<unknown>();
  for (const statement of listOf(document["Statement"])) {
    if (!isObject(statement)) return "a statement that is no object";
    const fault = faultOfStatement(statement, version === "2012-10-17");
    if (fault !== undefined) return fault;
    const sid = statement["Sid"];
    if (sid !== undefined && sids.has(sid)) return `two statements called ${JSON.stringify(sid)}`;
    sids.add(sid);
  }
  return undefined;
}

function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? [...Object.keys(value), ...Object.values(value).flatMap(textsIn)] : [];
}

const ELEMENTS = new Set(["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]);

function faultOfStatement(statement: Json, variables: boolean): string | undefined {
  const stranger = Object.keys(statement).find((name) => !ELEMENTS.has(name));
  if (stranger !== undefined) return `unknown element ${stranger}`;
  const sid = statement["Sid"];
  if (sid !== undefined && (typeof sid !== "string" || !/^[A-Za-z0-9]*$/.test(sid))) return "Sid";
  if (statement["Effect"] !== "Allow" && statement["Effect"] !== "Deny") return "Effect";
  if ("Action" in statement === "NotAction" in statement) return "Action xor NotAction";
  if ("Resource" in statement === "NotResource" in statement) return "Resource xor NotResource";
  const actions = listOf(statement["Action"] ?? statement["NotAction"]);
  if (actions.length === 0) return "no actions";
  for (const action of actions) {
    if (typeof action !== "string") return "an action that is no text";
    if (action !== "*" && action !== "*:*" && !/^[A-Za-z0-9-]+:[A-Za-z0-9*? _.-]+$/.test(action))
      return `action ${action}`;
  }
  const resources = listOf(statement["Resource"] ?? statement["NotResource"]);
  if (resources.length === 0) return "no resources";
  for (const resource of resources) {
    if (typeof resource !== "string") return "a resource that is no text";
    const fault = resource === "*" ? undefined : faultOfArn(resource, variables);
    if (fault !== undefined) return fault;
  }
  if (!("Condition" in statement)) return undefined;
  return isObject(statement["Condition"])
    ? faultOfConditions(statement["Condition"], variables)
    : "Condition";
}

function faultOfArn(arn: string, variables: boolean): string | undefined {
  const unclosed = variables ? faultOfVariables(arn) : undefined;
  if (unclosed !== undefined) return unclosed;
  const fields = (variables ? withoutVariables(arn) : arn).split(":");
  if (fields[0] !== "arn") return `${arn} is no ARN`;
  if (fields.length < 6 && !arn.endsWith("*")) return `${arn} has fewer than six fields`;
  if (fields[2] === "iam" && !["", "*"].includes(fields[3] ?? "")) return `${arn} has a region`;
  return undefined;
}

/** A value of an ARN operator may be `*` or a variable alone, or begin with one that stands for the first field. */
function faultOfArnValue(text: string, variables: boolean): string | undefined {
  if (text === "*") return undefined;
  if (!variables || !text.startsWith("${")) return faultOfArn(text, variables);
  const fields = withoutVariables(text).split(":");
  const isWhole = (fields.length === 1 && fields[0] === "v") || fields.length >= 6;
  return faultOfVariables(text) ?? (isWhole ? undefined : `${text} has fewer than six fields`);
}

/** A letter for each variable, so that no colon is one of a variable; a dot for each `${*}`, `${?}` and `${$}`. */
function withoutVariables(text: string): string {
  return text.replaceAll(/\$\{[*?$]\}/g, ".").replaceAll(/\$\{[^}]*\}/g, "v");
}

function faultOfVariables(text: string): string | undefined {
  const [, ...variables] = text.split("${");
  const faulty = variables.find((rest) => {
    const inside = rest.slice(0, rest.indexOf("}"));
    return !rest.includes("}") || !/^(?:[*?$]|\s*[^\s,'{][^,'{]*(?:,\s*'[^'{]*'\s*)?)$/.test(inside);
  });
  return faulty === undefined ? undefined : `${text}: \${${faulty} is no variable`;
}

function faultOfConditions(condition: Json, variables: boolean): string | undefined {
  for (const [operator, keys] of Object.entries(condition)) {
    const { base, ifExists } = readOperator(operator);
    if (base !== "Null" && !TESTS.has(base)) return `unknown operator ${operator}`;
    if (base === "Null" && ifExists) return "Null with IfExists";
    if (!isObject(keys)) return `${operator} has no keys`;
    const names = Object.keys(keys).map((key) => key.toLowerCase());
    if (new Set(names).size !== names.length) return "two keys that differ only in case";
    if (names.includes("")) return "a key without a name";
    for (const values of Object.values(keys)) {
      if (listOf(values).length === 0) return "no values";
      for (const value of listOf(values)) {
        const text = textOf(value);
        if (text === undefined) return "a value that is no text";
        const fault = faultOfValue(base, text, variables);
        if (fault !== undefined) return `${operator}: ${fault}`;
      }
    }
  }
  return undefined;
}

function faultOfValue(operator: string, text: string, variables: boolean): string | undefined {
  const family = operator === "Null" ? "Null" : TESTS.get(operator)?.family;
  if (family === "String") return variables ? faultOfVariables(text) : undefined;
  if (family === "Arn") return faultOfArnValue(text, variables);
  const reads: { [family: string]: (value: string) => unknown } = {
    Numeric: readNumber,
    Date: readDate,
    Bool: readBool,
    Null: readBool,
    Ip: readRange,
    Binary: readBytes,
  };
  return reads[family ?? ""]?.(text) === undefined ? `${text} is none` : undefined;
}
