import { type Decision, decide } from "../decision/decide.ts";
import type { Context } from "../iam/context.ts";
import { InvalidRequest } from "../iam/invalid-request.ts";
import { readRequest } from "../iam/request.ts";
import { Fault } from "../model/fault.ts";
import type { Principal } from "../model/principal.ts";
import { type Place, stackArn } from "../model/stack-arn.ts";
import type { User } from "../model/user.ts";
import type { Deployment } from "./deployment.ts";
import { loadFacts } from "./facts.ts";
import { heldBy } from "./held.ts";
import type { Snapshot } from "./snapshot.ts";
import { mayIntroduceThemselves, type Subject, whoIs } from "./who.ts";

/** The operation by which somebody introduces themselves. */
const INTRODUCTION = "opsworks:DescribeMyUserProfile";

/** A decision, and what an explanation needs beside it. */
export type Answer = Decision & {
  readonly action: string;
  readonly resource: string;
  readonly subject: Principal;
  /** Whether they are anybody here: a user, an administrator, the account root. */
  readonly known: boolean;
  /** The account root, or named in `Administrators`. */
  readonly administrator: boolean;
  /** Where the level comes from; `user` is their own. */
  readonly levelFrom: string;
  /** Since when IAM no longer has them. */
  readonly goneSince?: string;
  /** When an import last read everybody's policies. */
  readonly policiesAsOf?: string;
  readonly unreadable: readonly string[];
  readonly mustPassRole?: string;
  /** Condition keys that policies asked for and nobody could supply, in lower case. */
  readonly absentKeys: readonly string[];
};

/**
 * Decides whether the subject may perform the action on the stack the snapshot was asked for, or on `*` if on none.
 * @throws Fault ValidationException for a context that cannot be evaluated
 */
export function answer(
  deployment: Deployment,
  snapshot: Snapshot,
  subject: Subject,
  action: string,
  contextOf: (user: User | undefined) => Context,
): Promise<Answer> {
  const resource = arnOf(snapshot, deployment.place) ?? "*";
  return answerOn(deployment, snapshot, subject, action, resource, contextOf);
}

/** Of the stack that the snapshot was asked for, whether it is there or not. */
function arnOf({ stackId, stack }: Snapshot, place: Place): string | undefined {
  return stack?.Arn ?? (stackId === undefined ? undefined : stackArn(place, stackId));
}

/** The same of any resource, by its ARN. */
export async function answerOn(
  deployment: Deployment,
  snapshot: Snapshot,
  subject: Subject,
  action: string,
  resource: string,
  contextOf: (user: User | undefined) => Context,
): Promise<Answer> {
  const ask = await learn(deployment, snapshot, subject);
  return ask(action, resource, contextOf);
}

/** Asks about somebody whose facts were read already. */
export type Ask = (
  action: string,
  resource: string,
  contextOf: (user: User | undefined) => Context,
) => Answer;

/** Reads what is known of somebody once, to ask about them as often as one likes. */
export async function learn(
  { table, place, administrators }: Deployment,
  snapshot: Snapshot,
  subject: Subject,
): Promise<Ask> {
  const { principal } = subject;
  const { stack } = snapshot;
  const who = whoIs(snapshot, subject);
  const { user, profile } = who;
  const isHere = who.isSame && user?.GoneSince === undefined;
  const isAdministrator = isHere && administrators.has(principal.userArn);
  const isAccountOwner = principal.kind === "root" && principal.accountId === place.accountId;
  const held = heldBy(who, stack, snapshot.grant);
  const facts = await loadFacts(table, {
    principal,
    user,
    isAdministrator,
    isAccountOwner,
    held,
    stackArn: arnOf(snapshot, place),
    stack,
    selfManagement: profile?.AllowSelfManagement ?? false,
  });
  const mayIntroduce = mayIntroduceThemselves(subject, who, place);

  return (action, resource, contextOf) => {
    try {
      const request = readRequest(action, resource, contextOf(user));
      const isIntroduction = action === INTRODUCTION && mayIntroduce;
      return {
        ...decide(isIntroduction ? { ...facts, selfManagement: true } : facts, request),
        action,
        resource,
        subject: principal,
        known: user !== undefined || isAdministrator || isAccountOwner,
        administrator: isAdministrator || isAccountOwner,
        levelFrom: held.LevelFrom,
        ...(user?.GoneSince === undefined ? {} : { goneSince: user.GoneSince }),
        ...(snapshot.policiesAsOf === undefined ? {} : { policiesAsOf: snapshot.policiesAsOf }),
        unreadable: facts.unreadable,
        ...(facts.mustPassRole === undefined ? {} : { mustPassRole: facts.mustPassRole }),
        absentKeys: request.context.absent,
      };
    } catch (error) {
      if (!(error instanceof InvalidRequest)) throw error;
      throw new Fault("ValidationException", error.message, { cause: error });
    }
  };
}
