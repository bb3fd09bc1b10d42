import { type OperatorUse, readOperator } from "./condition.ts";
import { nameOf, quote } from "./finding.ts";
import type { Report } from "./invalid-policy.ts";
import { type Entry, Place } from "./place.ts";

/** `identity`: attached to a user, group or role, a boundary, a session policy. `trust`: who may assume a role. */
export type DocumentKind = "identity" | "trust";

/** A list that is matched (`Action`) or excepted (`NotAction`). */
export type Listed = { readonly not: boolean; readonly values: readonly Entry[] };

export type ConditionText = {
  readonly use: OperatorUse;
  readonly key: string;
  readonly values: readonly Entry[];
  readonly place: Place;
};

type PrincipalText = { readonly not: boolean; readonly kind: string; readonly values: readonly Entry[] };

/** A statement as written, in one form: lists are lists, values are text. */
export type StatementText = {
  readonly sid?: string;
  readonly index: number;
  readonly place: Place;
  readonly effect: "Allow" | "Deny";
  readonly action: Listed;
  readonly resource?: Listed;
  readonly principals: readonly PrincipalText[];
  readonly conditions: readonly ConditionText[];
  /** A `Condition`, or an operator in it, that asks for nothing. */
  readonly emptyConditions: readonly Place[];
};

/** A document that was reported to have a fault holds what could be read of it, and is never to be evaluated. */
export type Document = {
  readonly place: Place;
  /** As written. */
  readonly version?: unknown;
  readonly isVersionless: boolean;
  readonly statements: readonly StatementText[];
};

/** More than fit into any policy of IAM (the most that one of AWS's own has is 175), and a bound on what a decision costs. */
const MAX_STATEMENTS = 1000;

type Members = Readonly<Record<string, unknown>>;

const NOT_ALLOWED = /[^\t\n\r\u0020-\u00ff]/u;
const PRINCIPAL_KINDS = ["AWS", "Service", "Federated", "CanonicalUser"];
const STATEMENT_MEMBERS = {
  identity: ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"],
  trust: ["Sid", "Effect", "Action", "NotAction", "Principal", "NotPrincipal", "Condition"],
};
const MISPLACED = {
  identity: { names: ["Principal", "NotPrincipal"], home: "a role's trust policy" },
  trust: { names: ["Resource", "NotResource"], home: "an identity policy" },
};

/**
 * Holds a policy document to the grammar. Whatever could silently drop a Deny is a fault: an unknown element, an Effect in
 * the wrong case, a condition that is `null`, an empty list.
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 * @throws InvalidPolicy with the path to the first fault, unless `report` goes on
 */
export function readDocument(value: unknown, kind: DocumentKind, report?: Report): Document {
  const place = new Place(report);
  if (typeof value === "string" && value.trimStart().startsWith("{")) {
    place.fault("wrong-type", "is an object that was encoded twice, as text within JSON, so decode it once");
    return { place, isVersionless: false, statements: [] };
  }
  const members = readMembers(value, place, ["Version", "Id", "Statement"]);
  if (!members) return { place, isVersionless: false, statements: [] };
  const version = members.Version;
  if (version !== undefined && version !== "2008-10-17" && version !== "2012-10-17") {
    place.at("Version").fault("unknown-version", "must be `2012-10-17` or `2008-10-17`");
  }
  if (members.Id !== undefined) readText(members.Id, place.at("Id"));
  const statements = readStatements(members.Statement, place, kind);
  reportRepeatedSids(statements);
  return {
    place,
    version,
    isVersionless: version === undefined,
    statements,
  };
}

function readStatements(value: unknown, parent: Place, kind: DocumentKind): StatementText[] {
  if (value === undefined) parent.fault("missing-element", "has no `Statement`, so add one");
  if (value === undefined) return [];
  const place = parent.at("Statement");
  if (!Array.isArray(value)) return readStatement(value, place, 0, kind);
  if (value.length === 0) place.fault("empty-list", "is empty, so add a statement");
  if (value.length > MAX_STATEMENTS) {
    place.fault(
      "too-many-statements",
      `has ${value.length} statements, so split the document: ${MAX_STATEMENTS} are read`,
    );
    return [];
  }
  return value.flatMap((statement: unknown, index) => readStatement(statement, place.at(index), index, kind));
}

function readStatement(value: unknown, place: Place, index: number, kind: DocumentKind): StatementText[] {
  const members = readMembers(value, place, STATEMENT_MEMBERS[kind], MISPLACED[kind]);
  if (!members) return [];
  const { Effect: effect } = members;
  if (effect === undefined) {
    place.at("Effect").fault("missing-element", "is missing and must be `Allow` or `Deny`");
  } else if (effect !== "Allow" && effect !== "Deny") {
    place.at("Effect").fault("invalid-effect", "must be `Allow` or `Deny`, written exactly so");
  }
  const sid = members.Sid === undefined ? undefined : readText(members.Sid, place.at("Sid"));
  if (sid && !/^[A-Za-z0-9]*$/.test(sid.text)) {
    sid.place.fault("invalid-sid", "may have letters and digits only (A-Z, a-z, 0-9)");
  }
  const emptyConditions: Place[] = [];
  return [
    {
      ...(sid && sid.text !== "" ? { sid: sid.text } : {}),
      index,
      place,
      effect: effect === "Allow" ? "Allow" : "Deny",
      action: readListed(members, place, "Action"),
      ...(kind === "identity" ? { resource: readListed(members, place, "Resource") } : {}),
      principals: kind === "trust" ? readPrincipals(members, place) : [],
      conditions:
        members.Condition === undefined
          ? []
          : readConditions(members.Condition, place.at("Condition"), emptyConditions),
      emptyConditions,
    },
  ];
}

/** `Action` or `NotAction`, exactly one of them, not empty. */
function readListed(members: Members, parent: Place, name: string): Listed {
  const values = oneOf(members, parent, name).map((element) => ({
    not: element !== name,
    values: readTexts(members[element], parent.at(element)),
  }));
  return values[0] ?? { not: false, values: [] };
}

function readPrincipals(members: Members, parent: Place): PrincipalText[] {
  return oneOf(members, parent, "Principal").flatMap((element) => {
    const place = parent.at(element);
    const not = element !== "Principal";
    if (members[element] === "*") return [{ not, kind: "AWS", values: [{ text: "*", place }] }];
    const kinds = readMembers(members[element], place, PRINCIPAL_KINDS);
    if (!kinds) return [];
    if (isEmpty(kinds)) place.fault("empty-list", "is empty, so name a principal");
    return Object.entries(kinds).map(([kind, value]) => ({
      not,
      kind,
      values: readTexts(value, place.at(kind)),
    }));
  });
}

function readConditions(value: unknown, place: Place, empty: Place[]): ConditionText[] {
  const operators = readObject(value, place);
  if (!operators) return [];
  if (isEmpty(operators)) empty.push(place);
  return Object.entries(operators).flatMap(([operator, block]) =>
    readBlock(operator, block, place.at(operator), empty),
  );
}

/** The keys under one operator. */
function readBlock(operator: string, block: unknown, place: Place, empty: Place[]): ConditionText[] {
  const use = readOperator(operator, place);
  const keys = readObject(block, place);
  if (!keys) return [];
  if (isEmpty(keys)) empty.push(place);
  const names = new Set<string>();
  return Object.entries(keys).flatMap(([key, listed]) => {
    const at = place.at(key);
    readText(key, at);
    const name = key.toLowerCase();
    if (name === "") at.fault("empty-key", "has no name, so name a condition key");
    if (names.has(name)) at.fault("duplicate-key", "is there twice, in different case, so remove one");
    names.add(name);
    const values = readValues(listed, at);
    return use ? [{ use, key, values, place: at }] : [];
  });
}

/** Condition values: text, or a number or boolean without quotes; one or a list that is not empty. */
function readValues(value: unknown, place: Place): Entry[] {
  return entriesOf(value, place).flatMap(([item, at]) => {
    if (typeof item === "boolean") return [{ text: String(item), place: at }];
    if (JSON.isRawJSON(item)) return [{ text: item.rawJSON, place: at }];
    return readText(item, at) ?? [];
  });
}

function readTexts(value: unknown, place: Place): Entry[] {
  return entriesOf(value, place).flatMap(([item, at]) => readText(item, at) ?? []);
}

/** A bare value and a list of one are the same. */
function entriesOf(value: unknown, place: Place): (readonly [unknown, Place])[] {
  if (!Array.isArray(value)) return [[value, place]];
  if (value.length === 0) place.fault("empty-list", "is an empty list, so add a value");
  return value.map((item: unknown, index) => [item, place.at(index)]);
}

function readText(value: unknown, place: Place): Entry | undefined {
  if (typeof value !== "string") {
    place.fault("wrong-type", "must be text");
    return undefined;
  }
  const found = NOT_ALLOWED.exec(value);
  if (!found) return { text: value, place };
  place.fault(
    "invalid-character",
    `has ${nameOf(found[0])} as character ${found.index + 1}, so replace it: only tab, line ends and U+0020 to U+00FF are allowed`,
  );
  return undefined;
}

function readObject(value: unknown, place: Place): Members | undefined {
  if (isObject(value)) return value;
  place.fault("wrong-type", "must be an object");
  return undefined;
}

function isObject(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);
}

/** Reading JSON leaves a symbol where a key was refused. */
function isEmpty(value: Members): boolean {
  return Reflect.ownKeys(value).length === 0;
}

function readMembers(
  value: unknown,
  place: Place,
  known: readonly string[],
  misplaced?: { readonly names: readonly string[]; readonly home: string },
): Members | undefined {
  const members = readObject(value, place);
  for (const name of Object.keys(members ?? {})) {
    if (known.includes(name)) continue;
    if (misplaced?.names.includes(name)) {
      place.at(name).fault("misplaced-element", `must be removed: it belongs in ${misplaced.home}`);
    } else {
      const meant = known.find((element) => plainly(element) === plainly(name));
      const advice = meant ? `write it \`${meant}\`` : `use one of the elements ${known.join(", ")}`;
      place.at(name).fault("unknown-element", `is not known here, so ${advice}`);
    }
  }
  return members;
}

/** Without what a slip of the pen changes: case, a blank, a plural. */
function plainly(name: string): string {
  return name.trim().toLowerCase().replace(/s$/, "");
}

/** The one that is given of an element and its `Not...`; both are a fault. */
function oneOf(members: Members, place: Place, name: string): string[] {
  const given = [name, `Not${name}`].filter((element) => members[element] !== undefined);
  if (given.length === 0) {
    place.fault("missing-element", `has neither \`${name}\` nor \`Not${name}\`, so add one`);
  } else if (given.length > 1) {
    place.fault("conflicting-elements", `has both \`${name}\` and \`Not${name}\`, so remove one`);
  }
  return given;
}

function reportRepeatedSids(statements: readonly StatementText[]): void {
  const seen = new Set<string>();
  for (const { sid, place } of statements) {
    if (sid === undefined) continue;
    if (seen.has(sid)) {
      place.at("Sid").fault("duplicate-sid", `${quote(sid)} is there twice, so rename one`);
    }
    seen.add(sid);
  }
}
