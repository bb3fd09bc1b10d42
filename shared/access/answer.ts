import { type Decision, decide } from "../decision/decide.ts";
import type { Context } from "../iam/context.ts";
import { InvalidRequest } from "../iam/invalid-request.ts";
import { readRequest } from "../iam/request.ts";
import { Fault } from "../model/fault.ts";
import { permissionOf } from "../model/grant.ts";
import type { Principal } from "../model/principal.ts";
import { stackArn } from "../model/stack-arn.ts";
import type { User } from "../model/user.ts";
import type { Deployment } from "./deployment.ts";
import { loadFacts } from "./facts.ts";
import type { Snapshot } from "./snapshot.ts";

/** Who is asked about; `userId` as API Gateway verified it, when they ask themselves. */
export type Subject = { readonly principal: Principal; readonly userId?: string };

/** A decision, and what an explanation needs beside it. */
export type Answer = Decision & {
  readonly action: string;
  readonly resource: string;
  readonly subject: Principal;
  /** Whether they are anybody here: a user, an administrator, the account root. */
  readonly known: boolean;
  readonly unreadable: readonly string[];
  readonly mustPassRole?: string;
  /** Condition keys that policies asked for and nobody could supply, in lower case. */
  readonly absentKeys: readonly string[];
};

/**
 * Decides whether the subject may perform the action on the stack the snapshot was asked for, or on `*` if on none.
 * @throws Fault ValidationException for a context that cannot be evaluated
 */
export async function answer(
  { table, place, administrators }: Deployment,
  snapshot: Snapshot,
  subject: Subject,
  action: string,
  contextOf: (user: User | undefined) => Context,
): Promise<Answer> {
  const { principal } = subject;
  const { stackId, stack } = snapshot;
  const found = snapshot.user(principal.userArn);
  const isSame = isSamePerson(found, subject);
  const user = isSame ? found : undefined;
  const isAdministrator = isSame && administrators.has(principal.userArn);
  const isAccountOwner = principal.kind === "root" && principal.accountId === place.accountId;
  const permission = permissionOf(user, snapshot.grant(principal.userArn));
  const facts = await loadFacts(table, {
    principal,
    user,
    isAdministrator,
    isAccountOwner,
    permission,
    stack,
  });

  const resource = stack?.Arn ?? (stackId === undefined ? "*" : stackArn(place, stackId));
  try {
    const request = readRequest(action, resource, contextOf(user));
    return {
      ...decide(facts, request),
      action,
      resource,
      subject: principal,
      known: user !== undefined || isAdministrator || isAccountOwner,
      unreadable: facts.unreadable,
      ...(facts.mustPassRole === undefined ? {} : { mustPassRole: facts.mustPassRole }),
      absentKeys: request.context.absent,
    };
  } catch (error) {
    if (!(error instanceof InvalidRequest)) throw error;
    throw new Fault("ValidationException", error.message, { cause: error });
  }
}

/**
 * Whether the verified caller is the user we know: an IAM user who is deleted and made again under the same name has
 * another unique id.
 *
 * Source: IAM User Guide, "IAM identifiers: Unique identifiers".
 */
function isSamePerson(user: User | undefined, { userId }: Subject): boolean {
  const verified = userId?.split(":")[0];
  return user?.UserId === undefined || verified === undefined || user.UserId === verified;
}
