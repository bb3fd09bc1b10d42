import { whoIs } from "../access/who.ts";
import type { Grant } from "../model/grant.ts";
import type { Stack } from "../model/stack.ts";
import { grantMustBe } from "../table/grants.ts";
import { stackMustBe, stackMustExist } from "../table/stacks.ts";
import type { Write } from "../table/write.ts";
import type { Call } from "./call.ts";

/**
 * What is to be still so when permissions on a stack are written: the stack is there, and so is the level that gave the caller
 * the right. Since nobody changes their own level, a manager who changes others' stays one: without this, two managers could take Manage
 * from one another at the same time, and the last one with it.
 * @param written what is written in the same transaction, which is held to its revision anyway
 */
export function rightsMustStay(
  call: Call,
  stack: Stack,
  written: { readonly grantsOf: readonly string[]; readonly stack: boolean },
): Write[] {
  const { table } = call.deployment;
  const grant = rightOf(call);
  const ofStack = isByGroup(call) ? stackMustBe(table, stack) : stackMustExist(table, stack.StackId);
  return [
    ...(written.stack ? [] : [ofStack]),
    ...(grant && !written.grantsOf.includes(grant.IamUserArn) ? [grantMustBe(table, grant)] : []),
  ];
}

/** The grant that lets the caller do this, if it is one: their own or, of a person of Identity Center, the role's. */
function rightOf(call: Call): Grant | undefined {
  const { answer, caller, snapshot } = call;
  if (answer?.rule !== "level-allow" || isByGroup(call)) return undefined;
  const { profileArn } = whoIs(snapshot, caller);
  return snapshot.grant(answer.levelFrom === "user" ? profileArn : caller.principal.userArn);
}

function isByGroup({ answer }: Call): boolean {
  return answer?.rule === "level-allow" && answer.levelFrom.startsWith("group/");
}
