import type { Document } from "./document.ts";
import { quote } from "./finding.ts";

const TAKES: Readonly<Record<string, RegExp>> = {
  AWS: /^(?:\*|\d{12}|[A-Z0-9]{16,128}|arn:[^:*?]+:(?:iam|sts)::\d{12}:[^*?]+|arn:[^:*?]+:iam::cloudfront:[^*?]+)$/s,
  Service: /^[A-Za-z0-9][A-Za-z0-9.-]*$/,
};

/**
 * Reports principals of a trust policy that nobody can be. IAM has none with a wildcard but `*` alone.
 * Source: IAM User Guide, "AWS JSON policy elements: Principal".
 */
export function reportPrincipals({ statements }: Document): void {
  for (const { kind, values } of statements.flatMap(({ principals }) => principals)) {
    for (const { text, place } of values) {
      if (TAKES[kind]?.test(text) ?? true) continue;
      const wanted =
        kind === "AWS" ? "`*`, an account's 12 digits, or an ARN of IAM or STS" : "a service's name";
      place.fault("invalid-principal", `must be ${wanted}: ${quote(text)}`);
    }
  }
}
