import { readOperator } from "./condition.ts";
import { InvalidPolicy } from "./invalid-policy.ts";
import { jsonPath } from "./json.ts";

/** `identity`: attached to a user, group or role, a boundary, a session policy. `trust`: who may assume a role. */
export type DocumentKind = "identity" | "trust";

/** A list that is matched (`Action`) or excepted (`NotAction`). */
export type Listed = {
  readonly not: boolean;
  readonly values: readonly string[];
  readonly path: string;
  /** Whether it is written as a list. */
  readonly inList: boolean;
};

export type ConditionText = {
  readonly operator: string;
  readonly key: string;
  readonly values: readonly string[];
  readonly path: string;
};

type PrincipalText = {
  readonly not: boolean;
  readonly kind: string;
  readonly values: readonly string[];
};

/** A statement as written, in one form: lists are lists, values are text. */
export type StatementText = {
  readonly sid?: string;
  readonly index: number;
  readonly path: string;
  readonly effect: "Allow" | "Deny";
  readonly action: Listed;
  readonly resource?: Listed;
  readonly principals: readonly PrincipalText[];
  readonly conditions: readonly ConditionText[];
};

export type Document = { readonly variables: boolean; readonly statements: readonly StatementText[] };

type Path = readonly (string | number)[];
type Members = Readonly<Record<string, unknown>>;

const ALLOWED_TEXT = /^[\t\n\r\u0020-\u00ff]*$/;
const PRINCIPAL_KINDS = ["AWS", "Service", "Federated", "CanonicalUser"];
const STATEMENT_MEMBERS = {
  identity: ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"],
  trust: ["Sid", "Effect", "Action", "NotAction", "Principal", "NotPrincipal", "Condition"],
};

/**
 * Holds a policy document to the grammar. Whatever could silently drop a Deny is a fault: an unknown element, an Effect in
 * the wrong case, a condition that is `null`, an empty list.
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 * @throws InvalidPolicy with the path to the first fault
 */
export function readDocument(value: unknown, kind: DocumentKind): Document {
  const members = readMembers(value, [], ["Version", "Id", "Statement"]);
  const version = members.Version;
  if (version !== undefined && version !== "2008-10-17" && version !== "2012-10-17") {
    fault(["Version"], "must be `2012-10-17` or `2008-10-17`");
  }
  if (members.Id !== undefined) readText(members.Id, ["Id"]);
  if (members.Statement === undefined) fault([], "has no `Statement`");
  const list: unknown[] | undefined = Array.isArray(members.Statement) ? members.Statement : undefined;
  const statements = (list ?? [members.Statement]).map((statement, index) =>
    readStatement(statement, list ? ["Statement", index] : ["Statement"], index, kind),
  );
  if (statements.length === 0) fault(["Statement"], "is empty");
  refuseRepeatedSids(statements);
  return { variables: version === "2012-10-17", statements };
}

function readStatement(value: unknown, path: Path, index: number, kind: DocumentKind): StatementText {
  const members = readMembers(value, path, STATEMENT_MEMBERS[kind]);
  const { Sid: sid, Effect: effect } = members;
  if (effect !== "Allow" && effect !== "Deny") fault([...path, "Effect"], "must be `Allow` or `Deny`");
  if (sid !== undefined && !/^[A-Za-z0-9]*$/.test(readText(sid, [...path, "Sid"]))) {
    fault([...path, "Sid"], "may have letters and digits only");
  }
  return {
    ...(typeof sid === "string" && sid !== "" ? { sid } : {}),
    index,
    path: jsonPath(path),
    effect,
    action: readListed(members, path, "Action"),
    ...(kind === "identity" ? { resource: readListed(members, path, "Resource") } : {}),
    principals: kind === "trust" ? readPrincipals(members, path) : [],
    conditions:
      members.Condition === undefined ? [] : readConditions(members.Condition, [...path, "Condition"]),
  };
}

/** `Action` or `NotAction`, exactly one of them, not empty. */
function readListed(members: Members, path: Path, name: string): Listed {
  const element = oneOf(members, path, name);
  const at = [...path, element];
  return {
    not: element !== name,
    values: readTexts(members[element], at),
    path: jsonPath(at),
    inList: Array.isArray(members[element]),
  };
}

function readPrincipals(members: Members, path: Path): PrincipalText[] {
  const element = oneOf(members, path, "Principal");
  const at = [...path, element];
  const not = element !== "Principal";
  if (members[element] === "*") return [{ not, kind: "AWS", values: ["*"] }];
  const principals = Object.entries(readMembers(members[element], at, PRINCIPAL_KINDS)).map(
    ([kind, value]) => ({
      not,
      kind,
      values: readTexts(value, [...at, kind]),
    }),
  );
  if (principals.length === 0) fault(at, "is empty");
  return principals;
}

function readConditions(value: unknown, path: Path): ConditionText[] {
  return Object.entries(readObject(value, path)).flatMap(([operator, block]) => {
    readOperator(operator, jsonPath([...path, operator]));
    const keys = new Set<string>();
    return Object.entries(readObject(block, [...path, operator])).map(([key, listed]) => {
      const at = [...path, operator, key];
      const name = readText(key, at).toLowerCase();
      if (name === "") fault(at, "has no name");
      if (keys.has(name)) fault(at, "is there twice, in different case");
      keys.add(name);
      return { operator, key, values: readValues(listed, at), path: jsonPath(at) };
    });
  });
}

/** Condition values: text, or a number or boolean without quotes; one or a list that is not empty. */
function readValues(value: unknown, path: Path): string[] {
  const values = Array.isArray(value) ? value : [value];
  if (values.length === 0) fault(path, "is an empty list");
  return values.map((item: unknown, index) => {
    if (typeof item === "boolean") return String(item);
    if (JSON.isRawJSON(item)) return item.rawJSON;
    return readText(item, Array.isArray(value) ? [...path, index] : path);
  });
}

function readTexts(value: unknown, path: Path): string[] {
  if (!Array.isArray(value)) return [readText(value, path)];
  if (value.length === 0) fault(path, "is an empty list");
  return value.map((item, index) => readText(item, [...path, index]));
}

function readText(value: unknown, path: Path): string {
  if (typeof value !== "string") fault(path, "must be text");
  if (!ALLOWED_TEXT.test(value)) fault(path, "has a character outside tab, line ends and U+0020 to U+00FF");
  return value;
}

function readObject(value: unknown, path: Path): Members {
  if (!isObject(value)) fault(path, "must be an object");
  return value;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

function readMembers(value: unknown, path: Path, known: readonly string[]): Members {
  const members = readObject(value, path);
  for (const name of Object.keys(members)) {
    if (!known.includes(name))
      fault([...path, name], `is not known here; the elements are ${known.join(", ")}`);
  }
  return members;
}

function oneOf(members: Members, path: Path, name: string): string {
  const given = [name, `Not${name}`].filter((element) => members[element] !== undefined);
  if (given.length !== 1) fault(path, `must have either \`${name}\` or \`Not${name}\``);
  return given[0] ?? name;
}

function refuseRepeatedSids(statements: readonly StatementText[]): void {
  const seen = new Set<string>();
  for (const { sid, path } of statements) {
    if (sid === undefined) continue;
    if (seen.has(sid)) throw new InvalidPolicy(`${path}.Sid`, `\`${sid}\` is there twice`);
    seen.add(sid);
  }
}

function fault(path: Path, message: string): never {
  throw new InvalidPolicy(jsonPath(path), message);
}
