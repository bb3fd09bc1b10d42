import { Fault } from "../model/fault.ts";
import { hashOf } from "../model/policy-hash.ts";
import { readToken, type TokenOf } from "../table/tokens.ts";
import type { Call } from "./call.ts";

/**
 * Does what a request asks once, however often it comes with the same token: the same again is answered as it was, before anything
 * is asked about rights, which may have gone with what was done. When it fails, the token tells whether it was done all the same: by
 * another one at the same moment, or by a write whose outcome did not come back.
 */
export async function once(call: Call, act: () => Promise<unknown>): Promise<unknown> {
  const of = tokenOf(call);
  if (!of) return act();
  const before = await answerKept(call, of);
  if (before) return before.answer;
  try {
    return await act();
  } catch (error) {
    const after = await answerKept(call, of).catch((fault: unknown) => {
      // What became of it stays unknown; why it failed is known.
      throw fault instanceof Fault && fault.name === "ConflictException" ? fault : error;
    });
    if (after) return after.answer;
    throw error;
  }
}

/** The caller as verified, so that nobody is answered what somebody else asked. */
export function tokenOf({ clientToken, caller }: Call): TokenOf | undefined {
  return clientToken === undefined ? undefined : { caller: caller.principal.arn, token: clientToken };
}

/** Of all that a request is, whoever asks: somebody made again under an old name asks something else. */
export function requestHash({ operation, via, caller, input, reason, ifVersion }: Call): string {
  return hashOf(canonical({ operation, via, userId: caller.userId, input, reason, ifVersion }));
}

async function answerKept(call: Call, of: TokenOf): Promise<{ answer: unknown } | undefined> {
  const kept = await readToken(call.deployment.table, of, new Date());
  if (!kept) return undefined;
  if (kept.Request !== requestHash(call)) {
    throw new Fault(
      "ConflictException",
      "IdempotentParameterMismatch: `ClientToken` was given with another request within a day: take a new one",
    );
  }
  if (kept.Withheld !== undefined) throw new Fault("ConflictException", kept.Withheld);
  const answer: unknown = JSON.parse(kept.Answer ?? "{}");
  return { answer };
}

/** JSON that is the same in whatever order the members came. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
