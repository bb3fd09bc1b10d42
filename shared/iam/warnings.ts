import { Context, isMultivalued } from "./context.ts";
import { lacksZone, looksLikeYear } from "./date.ts";
import type { ConditionText, Document, Listed, StatementText } from "./document.ts";
import { quote } from "./finding.ts";
import { isGlobalKey, isSingleValued } from "./global-keys.ts";
import { hasHostBits } from "./ip.ts";
import { compileEntries, type Entry, Place } from "./place.ts";
import { compileAction } from "./policy.ts";

/** What a document is accepted with, though it may not do what was meant; what is said of one is in `docs/policy-findings.md`. */
export const WARNING_CODES = [
  "no-version",
  "over-identity-quota",
  "empty-condition",
  "unknown-aws-key",
  "unknown-key",
  "set-operator-on-single-value",
  "no-set-operator",
  "date-without-zone",
  "year-as-seconds",
  "host-bits",
  "token-issue-time",
  "passed-to-service",
  "pass-role-on-no-role",
  "stack-arn-without-slash",
  "unknown-action",
  "blank",
  "action-not-of-sts",
] as const;
export type WarningCode = (typeof WARNING_CODES)[number];

export type Warning = { readonly code: WarningCode; readonly place: Place; readonly message: string };

/** Warns about one statement. @param catalogue names of actions, of the services whose actions are known */
type Rule = (statement: StatementText, catalogue: readonly string[]) => Warning[];

// Stryker disable next-line ArrayDeclaration: patterns of actions have no variables
const NO_CONTEXT = new Context([]);
const PASS_ROLE = "iam:PassRole";
/** What is wrong with an action is said where it is compiled. */
const UNHEARD = new Place(() => {});

/** Source: IAM User Guide, the pages of each element; Access Analyzer, "Policy check reference". */
export function warningsOf(document: Document, catalogue: readonly string[]): Warning[] {
  const message =
    'has no `Version`, so add `"Version": "2012-10-17"`, since without it `${...}` is no variable but plain text';
  return [
    ...(document.isVersionless ? [{ code: "no-version", place: document.place, message } as const] : []),
    ...document.statements.flatMap((statement) => RULES.flatMap((rule) => rule(statement, catalogue))),
  ];
}

const emptyCondition: Rule = ({ emptyConditions }) =>
  emptyConditions.map((place) => ({
    code: "empty-condition",
    place,
    message: "asks for nothing, so remove it or add what was meant",
  }));

const unknownAwsKey: Rule = ({ conditions }) =>
  conditions
    .filter(({ key }) => /^\s*aws:/i.test(key) && !isGlobalKey(key.trim().toLowerCase()))
    .map(({ key, place }) => ({
      code: "unknown-aws-key",
      place,
      message: `${quote(key)} is no global condition key that is known here, so check its spelling`,
    }));

const unknownKey: Rule = ({ conditions }) =>
  conditions
    .filter(({ key }) => key !== "" && !key.includes(":"))
    .map(({ key, place }) => ({
      code: "unknown-key",
      place,
      message: `${quote(key)} is no condition key, so write it with its service: \`<service>:<name>\``,
    }));

const setOperator: Rule = ({ conditions }) =>
  conditions.flatMap(({ use, key, place }): Warning[] => {
    const name = key.toLowerCase();
    if (use.qualifier && isSingleValued(name)) {
      const message = `${quote(key)} has one value, so leave out \`${use.qualifier}\``;
      return [{ code: "set-operator-on-single-value", place, message }];
    }
    if (use.qualifier === undefined && isMultivalued(name) && use.operator.name !== "Null") {
      const message = `${quote(key)} holds a list and never matches so, so add \`ForAllValues\` or \`ForAnyValue\``;
      return [{ code: "no-set-operator", place, message }];
    }
    return [];
  });

const dateWithoutZone: Rule = ({ conditions }) =>
  valuesOf(conditions, "Date")
    .filter(({ text }) => lacksZone(text))
    .map(({ text, place }) => ({
      code: "date-without-zone",
      place,
      message: `${quote(text)} has no zone and is read as UTC, so add one, such as \`Z\``,
    }));

const yearAsSeconds: Rule = ({ conditions }) =>
  valuesOf(conditions, "Date")
    .filter(({ text }) => looksLikeYear(text))
    .map(({ text, place }) => ({
      code: "year-as-seconds",
      place,
      message: `${quote(text)} is read as seconds since 1970, so write a whole date, such as \`${text}-01-01T00:00:00Z\``,
    }));

const hostBits: Rule = ({ conditions }) =>
  valuesOf(conditions, "IpAddress")
    .filter(({ text }) => hasHostBits(text))
    .map(({ text, place }) => ({
      code: "host-bits",
      place,
      message: `${quote(text)} has bits after its mask, which are ignored, so clear them`,
    }));

const tokenIssueTime: Rule = ({ action, conditions }) => {
  const touches = action.not
    ? !action.values.some(({ text }) => /^(?:\*|opsworks:\*+$)/i.test(text))
    : action.values.some(({ text }) => /^(?:\*|opsworks:)/i.test(text));
  return conditions
    .filter(({ key }) => touches && key.toLowerCase() === "aws:tokenissuetime")
    .map(({ place }) => ({
      code: "token-issue-time",
      place,
      message:
        "cannot tell temporary credentials from long-term ones for opsworks actions, where it is always the time of the check, so use another key",
    }));
};

const passedToService: Rule = ({ action, conditions }) => {
  const isForOthers = action.values.some(({ text }) => coverageOf(text)(PASS_ROLE) === action.not);
  return conditions
    .filter(({ key, use }) => {
      const isAsked = key.toLowerCase() === "iam:passedtoservice" && use.operator.name !== "Null";
      return isAsked && !use.ifExists && isForOthers;
    })
    .map(({ key, place }) => ({
      code: "passed-to-service",
      place,
      message: `${quote(key)} comes with \`${PASS_ROLE}\` alone, so give other actions a statement of their own`,
    }));
};

const passRoleOnNoRole: Rule = ({ action, resource }) => {
  if (action.not || !resource || resource.not) return [];
  const naming = action.values.filter(
    ({ text }) => text.toLowerCase().startsWith("iam:pass") && coverageOf(text)(PASS_ROLE),
  );
  const others = resource.values.filter(({ text }) => !mayBeRole(text));
  const isForOthers = naming.length < action.values.length && others.length < resource.values.length;
  if (naming.length === 0 || isForOthers) return [];
  return others.map(({ text, place }) => ({
    code: "pass-role-on-no-role",
    place,
    message: `${quote(text)} is no role, so name one for \`${PASS_ROLE}\`: \`arn:aws:iam::<account>:role/<name>\``,
  }));
};

const stackArnWithoutSlash: Rule = ({ resource }) =>
  entriesOf(resource)
    .filter(({ text }) => /^arn:[^:]*:opsworks:[^:]*:[^:]*:stack\/(?:.*[^/*?])?$/s.test(text))
    .map(({ text, place }) => ({
      code: "stack-arn-without-slash",
      place,
      message: `${quote(text)} matches no stack, so end it in a slash, as every stack's ARN does: \`stack/<id>/\``,
    }));

const unknownAction: Rule = ({ action }, catalogue) => {
  const services = new Set(catalogue.map((name) => serviceOf(name)));
  return action.values
    .filter(
      ({ text }) => services.has(serviceOf(text)) && !catalogue.some(coverageOf(text.replaceAll(" ", ""))),
    )
    .map(({ text, place }) => ({
      code: "unknown-action",
      place,
      message: `${quote(text)} is no action of \`${serviceOf(text)}\`, so check its spelling`,
    }));
};

const blank: Rule = ({ action, resource, conditions }) => [
  ...action.values
    .filter(({ text }) => text.includes(" "))
    .map(({ text, place }) => asBlank(place, `${quote(text)} matches nothing, as no action has a blank`)),
  ...entriesOf(resource)
    .filter(({ text }) => text.trimEnd() !== text)
    .map(({ text, place }) =>
      asBlank(place, `${quote(text)} ends in a blank and matches nothing without one`),
    ),
  ...conditions
    .filter(({ key }) => key.trim() !== key)
    .map(({ key, place }) =>
      asBlank(place, `${quote(key)} begins or ends in a blank, as no condition key does`),
    ),
];

function asBlank(place: Place, fault: string): Warning {
  return { code: "blank", place, message: `${fault}, so remove it` };
}

/** `*` is left alone: whether IAM takes it there is not documented. */
const actionNotOfSts: Rule = ({ action, resource }) =>
  resource || action.not
    ? []
    : action.values
        .filter(({ text }) => /^(?!sts:)[a-z0-9-]+:/i.test(text))
        .map(({ text, place }) => ({
          code: "action-not-of-sts",
          place,
          message: `${quote(text)} is no action of \`sts\`, and IAM takes no other in a trust policy, so name one such as \`sts:AssumeRole\``,
        }));

const RULES: readonly Rule[] = [
  unknownAction,
  blank,
  actionNotOfSts,
  stackArnWithoutSlash,
  passRoleOnNoRole,
  emptyCondition,
  unknownAwsKey,
  unknownKey,
  setOperator,
  dateWithoutZone,
  yearAsSeconds,
  hostBits,
  tokenIssueTime,
  passedToService,
];

/** A trust policy has no resources. */
function entriesOf(listed: Listed | undefined): readonly Entry[] {
  return listed?.values ?? [];
}

function valuesOf(conditions: readonly ConditionText[], kind: string): Entry[] {
  return conditions.filter(({ use }) => use.operator.name.includes(kind)).flatMap(({ values }) => values);
}

function serviceOf(action: string): string {
  return action.slice(0, action.indexOf(":")).toLowerCase();
}

/** Which actions a pattern covers; one that was refused covers none. */
function coverageOf(pattern: string): (action: string) => boolean {
  const compiled = compileEntries([{ text: pattern, place: UNHEARD }], compileAction);
  return (action) => compiled.some((matches) => matches(action.toLowerCase(), NO_CONTEXT) === true);
}

/** Whether a resource pattern covers any role; one of fewer fields ends in `*`, which stands for the rest. */
function mayBeRole(text: string): boolean {
  const [, , service = "*", , , name = "*"] = text.split(":");
  return mayBegin(`${service}:`, "iam:") && mayBegin(name, "role/");
}

/** Whether what a pattern matches may begin with a text: told by what stands before its first wildcard or variable. */
function mayBegin(pattern: string, text: string): boolean {
  const literal = pattern.replace(/(?:[*?]|\$\{).*/s, "");
  return literal.startsWith(text) || (literal !== pattern && text.startsWith(literal));
}
