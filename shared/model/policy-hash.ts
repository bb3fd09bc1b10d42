import { createHash } from "node:crypto";

/** The name under which a policy document is kept: the SHA-256 of its text. */
export function hashOf(document: string): string {
  return createHash("sha256").update(document).digest("hex");
}
