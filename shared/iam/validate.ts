import { type DocumentKind, readDocument } from "./document.ts";
import type { ErrorCode, Finding } from "./finding.ts";
import { InvalidPolicy, type Report } from "./invalid-policy.ts";
import { readJson } from "./json.ts";
import { compileDocument, MAX_POLICY_LENGTH } from "./policy.ts";
import { reportPrincipals } from "./principals.ts";
import { IDENTITY_QUOTAS, LARGEST_MANAGED_POLICY, LARGEST_TRUST_POLICY, lengthToIam } from "./quotas.ts";
import { type WarningCode, type Warning, warningsOf } from "./warnings.ts";

export type PolicyFinding = Finding<ErrorCode | WarningCode>;

type Options = {
  /** Names of all actions of the services whose actions are known (`opsworks:CreateLayer`); others are not looked at. */
  readonly catalogue?: readonly string[];
  /** IAM has accepted the document, so only what cannot be evaluated is an error, and its size is nobody's concern. */
  readonly isAccepted?: boolean;
};

/** Nobody reads more of them at once. */
const MOST_ERRORS = 1000;

/** Everything that is to be said of a policy document: first the errors, for which it is refused, then warnings. */
export function validatePolicy(text: string, kind: DocumentKind, options: Options = {}): PolicyFinding[] {
  const errors: PolicyFinding[] = [];
  const told = new Set<string>();
  const report: Report = (code, path, message) => {
    const all = `${code} ${path} ${message}`;
    if (told.has(all)) return;
    if (errors.length === MOST_ERRORS) {
      throw new InvalidPolicy(
        "too-many-errors",
        "$",
        `has more than ${MOST_ERRORS} errors, so correct these first`,
      );
    }
    errors.push({ severity: "error", code, path, message });
    told.add(all);
  };
  try {
    const document = readDocument(readJson(text, MAX_POLICY_LENGTH, report), kind, report);
    compileDocument(document);
    // Stryker disable next-line ArrayDeclaration: no action has a service of that name
    const warnings = warningsOf(document, options.catalogue ?? []);
    if (!options.isAccepted) {
      reportPrincipals(document);
      const length = lengthToIam(text);
      if (kind === "trust" && length > LARGEST_TRUST_POLICY) {
        report(
          "over-trust-quota",
          "$",
          `has ${length} characters without white space, so shorten it to ${LARGEST_TRUST_POLICY}`,
        );
      }
      if (kind === "identity" && length > LARGEST_MANAGED_POLICY) {
        const message = `has ${length} characters without white space, so split it before IAM gets it (its quotas: ${IDENTITY_QUOTAS})`;
        warnings.push({ code: "over-identity-quota", place: document.place, message });
      }
    }
    return errors.concat(warnings.map(asFinding));
  } catch (error) {
    if (!(error instanceof InvalidPolicy)) throw error;
    return [...errors, { severity: "error", code: error.code, path: error.path, message: error.fault }];
  }
}

function asFinding({ code, place, message }: Warning): PolicyFinding {
  return { severity: "warning", code, path: place.path, message };
}
