import type { Deployment } from "../access/deployment.ts";
import { loadSnapshot } from "../access/snapshot.ts";
import { mayIntroduceThemselves, namesOf, type Subject, type Who, whoIs } from "../access/who.ts";
import { DescribeMyUserProfile } from "../contract/describe-my-user-profile.ts";
import type { CallOperation } from "../lambda/call-as.ts";
import type { WebRequest } from "../lambda/web-request.ts";
import type { ConsoleSession, SignInToken } from "../model/console-session.ts";
import { Fault } from "../model/fault.ts";
import { readPrincipal } from "../model/principal.ts";
import { readSession, startSession } from "../table/console-sessions.ts";
import { sessionIdOf } from "./cookies.ts";
import { formTokenOf } from "./same-origin.ts";

/** Somebody signed in. */
export type SignedIn = { readonly id: string; readonly session: ConsoleSession; readonly formToken: string };

/** Whose session the request is of, unless it is over: expired, signed out, or of somebody who is not there any more. */
export async function findSession(
  { table }: Deployment,
  request: WebRequest,
  now: Date,
): Promise<SignedIn | undefined> {
  const id = sessionIdOf(request);
  const session = id === undefined ? undefined : await readSession(table, id, now);
  if (id === undefined || !session) return undefined;
  const { isSame, profile, user } = await whoIsIt(table, session);
  const isGone = user?.GoneSince !== undefined && user.GoneSince > session.SignedInAt;
  if (!isSame || isGone || profile?.ProfileId !== session.ProfileId) return undefined;
  return { id, session, formToken: formTokenOf(id) };
}

/**
 * Makes a session of a token. A session is of one profile or of none, so whoever makes theirs by looking at it does so before.
 * @throws Fault ConflictException for a token that was used meanwhile
 */
export async function signIn(
  { table, place }: Deployment,
  token: string,
  { CallerArn, UserId }: SignInToken,
  call: CallOperation,
  now: Date,
): Promise<{ id: string; session: ConsoleSession }> {
  let who = await whoIsIt(table, { CallerArn, UserId });
  if (!who.profile && mayIntroduceThemselves(who.subject, who, place)) {
    await introduce(call);
    who = await whoIsIt(table, { CallerArn, UserId });
  }
  const ofProfile = who.profile && who.isSame ? { ProfileId: who.profile.ProfileId } : {};
  return startSession(table, token, { CallerArn, UserId, ...ofProfile }, now);
}

/** Whoever may not look at their profile signs in without one. */
async function introduce(call: CallOperation): Promise<void> {
  try {
    await call(DescribeMyUserProfile, { MaxResults: 1 });
  } catch (error) {
    if (!(error instanceof Fault) || error.name !== "AccessDeniedException") throw error;
  }
}

async function whoIsIt(
  table: Deployment["table"],
  { CallerArn, UserId }: Pick<ConsoleSession, "CallerArn" | "UserId">,
): Promise<Who & { readonly subject: Subject }> {
  const principal = readPrincipal(CallerArn);
  if (!principal) throw new Error(`${CallerArn} signed in and is no principal`);
  const subject = { principal, userId: UserId };
  const snapshot = await loadSnapshot(table, { userArns: namesOf(principal) });
  return { ...whoIs(snapshot, subject), subject };
}
