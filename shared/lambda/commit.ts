import { keepToken } from "../table/tokens.ts";
import { transact, type Write } from "../table/write.ts";
import type { Call } from "./call.ts";
import { requestHash, tokenOf } from "./once.ts";

/** The answer of an operation that has nothing to tell. */
export const DONE: { readonly [name: string]: never } = {};
export type Done = typeof DONE;

/**
 * Does what an operation is to do, in one transaction with the caller's token, if there is one; answers with the answer.
 * @param withheld why the answer is not given again, if it is a secret and is not kept
 */
export async function commit<Answer>(
  call: Call,
  writes: readonly Write[],
  answer: Answer,
  withheld?: string,
): Promise<Answer> {
  const all = [...writes, ...tokenWrites(call, answer, withheld)];
  if (all.length > 0) await transact(call.deployment.table, all);
  return answer;
}

/** What keeps the answer under the caller's token; nothing without one. */
export function tokenWrites(call: Call, answer: unknown, withheld?: string): Write[] {
  const of = tokenOf(call);
  if (!of) return [];
  const kept = withheld === undefined ? { Answer: JSON.stringify(answer) } : { Withheld: withheld };
  return [keepToken(call.deployment.table, of, { Request: requestHash(call), ...kept }, new Date())];
}
