/**
 * Faults for which a document is refused: each of them could drop a Deny, or cannot be evaluated.
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language"; what is said of one is in `docs/policy-findings.md`.
 */
export const ERROR_CODES = [
  "not-json",
  "too-long",
  "too-deep",
  "duplicate-key",
  "unsafe-key",
  "wrong-type",
  "invalid-character",
  "unknown-element",
  "misplaced-element",
  "missing-element",
  "conflicting-elements",
  "empty-list",
  "unknown-version",
  "too-many-statements",
  "too-many-errors",
  "invalid-effect",
  "invalid-sid",
  "duplicate-sid",
  "invalid-action",
  "service-wildcard",
  "invalid-arn",
  "short-arn",
  "region-in-iam-arn",
  "invalid-principal",
  "unknown-operator",
  "null-if-exists",
  "empty-key",
  "invalid-variable",
  "variable-not-allowed",
  "invalid-number",
  "invalid-date",
  "invalid-boolean",
  "invalid-binary",
  "invalid-ip",
  "over-trust-quota",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** What is said of a place in a document: `path` is a JSON path, `message` a sentence whose subject is what stands there. */
export type Finding<Code extends string = string> = {
  readonly severity: "error" | "warning";
  readonly code: Code;
  readonly path: string;
  readonly message: string;
};

const QUOTED = 80;

/** A character as a message names it, since it may not be seen: U+200B. */
export function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Text of a document as a message quotes it, bounded. */
export function quote(text: string): string {
  return `\`${text.length > QUOTED ? `${text.slice(0, QUOTED)}…` : text}\``;
}
