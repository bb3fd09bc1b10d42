import { LRUCache } from "lru-cache";
import { InvalidPolicy } from "../iam/invalid-policy.ts";
import { type Policy, parsePolicy } from "../iam/policy.ts";
import type { PolicyRef, User } from "../model/user.ts";
import { getPolicies } from "../table/policies.ts";
import type { Table } from "../table/table.ts";

type Compiled = { readonly policy?: Policy };

/** Characters of policy text whose compiled form a warm function keeps; the least recently used go first. */
const MAX_CHARACTERS = 8_000_000;

/** Documents never change under their hash, so what is compiled stays right for as long as it is kept. */
const cache = new LRUCache<string, Compiled>({ maxSize: MAX_CHARACTERS });

/**
 * The compiled policies of these hashes, from memory or, for those not seen yet, in one more BatchGetItem. A document that is
 * not there or cannot be read has no policy.
 */
export async function loadPolicies(table: Table, hashes: readonly string[]): Promise<Map<string, Policy>> {
  const found = new Map<string, Policy>();
  const missing: string[] = [];
  for (const hash of new Set(hashes)) {
    const compiled = cache.get(hash);
    if (compiled === undefined) missing.push(hash);
    else if (compiled.policy) found.set(hash, compiled.policy);
  }
  if (missing.length === 0) return found;
  for (const [hash, text] of await getPolicies(table, missing)) {
    const compiled = compile(text);
    cache.set(hash, compiled, { size: text.length + 1 });
    if (compiled.policy) found.set(hash, compiled.policy);
  }
  return found;
}

/** Compiles what these users need before it is asked for, all of it in one request per 100 documents. */
export async function loadPoliciesOf(table: Table, users: readonly (User | undefined)[]): Promise<void> {
  const refs = users.flatMap((user) => [
    ...(user?.Policies ?? []),
    ...(user?.Boundary ? [user.Boundary] : []),
  ]);
  await loadPolicies(table, hashesOf(refs));
}

/** The documents that these refer to. */
export function hashesOf(refs: readonly PolicyRef[]): string[] {
  return refs.flatMap((ref) => ("Hash" in ref ? [ref.Hash] : []));
}

function compile(text: string): Compiled {
  try {
    return { policy: parsePolicy(text) };
  } catch (error) {
    if (error instanceof InvalidPolicy) return {};
    throw error;
  }
}
