import type { DocumentKind } from "../iam/document.ts";
import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { type PolicyFinding, validatePolicy } from "../iam/validate.ts";
import { hashOf } from "../model/policy-hash.ts";

/** A policy by its ARN, or as whose inline or trust policy it is, and what there is to say of it. */
export type PolicyFindings = { readonly policy: string; readonly findings: readonly PolicyFinding[] };

/** Examines the policies of an account, each policy once, each document once however many have it, and keeps what there is to say of them. */
export class Examination {
  readonly #catalogue: readonly string[];
  /** By the hash of the text: an account is too large to keep its texts. */
  readonly #byDocument = new Map<string, readonly PolicyFinding[]>();
  /** Of all policies of which there is something to say. */
  readonly findings: PolicyFindings[] = [];
  policyCount = 0;

  /** @param catalogue names of all actions of the services whose actions are known */
  constructor(catalogue: readonly string[]) {
    this.#catalogue = catalogue;
  }

  examine(policy: string, document: unknown, kind: DocumentKind): readonly PolicyFinding[] {
    const findings = this.#findingsOf(document, kind);
    this.policyCount += 1;
    if (findings.length > 0) this.findings.push({ policy, findings });
    return findings;
  }

  #findingsOf(document: unknown, kind: DocumentKind): readonly PolicyFinding[] {
    try {
      const text = textOf(document);
      const key = `${kind} ${hashOf(text)}`;
      const known = this.#byDocument.get(key);
      const findings = known ?? validatePolicy(text, kind, { catalogue: this.#catalogue, isAccepted: true });
      this.#byDocument.set(key, findings);
      return findings;
    } catch (error) {
      if (!(error instanceof InvalidPolicy)) throw error;
      return [{ severity: "error", code: error.code, path: error.path, message: error.fault }];
    }
  }
}

/** A document as text, whether the snapshot has it as an object, as text or URL-encoded. @throws InvalidPolicy */
export function textOf(document: unknown): string {
  if (typeof document !== "string") return JSON.stringify(document ?? null);
  try {
    return document.trimStart().startsWith("{") ? document : decodeURIComponent(document);
  } catch (error) {
    const why = error instanceof Error ? error.message : "unreadable";
    throw new InvalidPolicy("not-json", "$", `is not URL-encoded JSON, so take the snapshot again: ${why}`);
  }
}
