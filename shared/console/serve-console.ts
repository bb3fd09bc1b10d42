import type { Context } from "aws-lambda";
import type { Deployment } from "../access/deployment.ts";
import { callAs, type Handlers } from "../lambda/call-as.ts";
import { deploymentOf } from "../lambda/environment.ts";
import { logLine } from "../lambda/log.ts";
import { toFault } from "../lambda/to-fault.ts";
import { serveWeb, type WebAnswer, type WebRequest } from "../lambda/web-request.ts";
import { Fault } from "../model/fault.ts";
import { endSession, readSignInToken } from "../table/console-sessions.ts";
import { assetAt, isAssetPath } from "./assets.ts";
import {
  NO_RETURN_COOKIE,
  NO_SESSION_COOKIE,
  returnCookie,
  returnPlace,
  sessionCookie,
  sessionIdOf,
} from "./cookies.ts";
import { layout } from "./layout.ts";
import type { Page, Redirect, View, Visit } from "./page.ts";
import { FROM_ELSEWHERE, NOT_FOUND, ofFault, sendAgain, WRONG_METHOD } from "./pages/errors.ts";
import { deleteUser } from "./pages/delete-user.ts";
import { stackHistory, userHistory } from "./pages/history.ts";
import { importUsers } from "./pages/import.ts";
import { explain } from "./pages/explain.ts";
import { mySettings } from "./pages/my-settings.ts";
import { newUser } from "./pages/new-user.ts";
import { orphans } from "./pages/orphans.ts";
import { permissions } from "./pages/permissions.ts";
import { profile } from "./pages/profile.ts";
import {
  confirm,
  enterToken,
  onceMore,
  sessionIsOver,
  SIGN_IN,
  SIGN_IN_CONFIRMED,
  SIGNED_OUT,
  tokenRefused,
} from "./pages/sign-in.ts";
import { stack } from "./pages/stack.ts";
import { openStack, stacks } from "./pages/stacks.ts";
import { users } from "./pages/users.ts";
import { userLevels } from "./pages/user-levels.ts";
import { page, seeOther } from "./respond.ts";
import { hasFormToken, isFromHere } from "./same-origin.ts";
import { findSession, type SignedIn, signIn } from "./session.ts";

/** Every page there is for who is signed in. */
const PAGES: readonly Page[] = [
  stacks,
  openStack,
  stack,
  permissions,
  users,
  newUser,
  profile,
  deleteUser,
  importUsers,
  orphans,
  userLevels,
  explain,
  stackHistory,
  userHistory,
  mySettings,
];

/** One request, as far as it has come. */
type Asked = {
  readonly request: WebRequest;
  readonly deployment: Deployment;
  readonly handlers: Handlers;
  readonly context: Context;
  readonly now: Date;
  signedIn?: SignedIn | undefined;
  /** Who has just signed in. */
  startedBy?: string;
};

/** The console: pages over the operations whose handlers are given. It decides nothing, and keeps nothing but sessions. */
export function serveConsole(handlers: Handlers) {
  return serveWeb(async (request, context) => {
    const asset = assetAt(request.path);
    if (asset) return asset;
    const startedAt = performance.now();
    const asked: Asked = { request, deployment: deploymentOf(context), handlers, context, now: new Date() };
    let fault: Fault | undefined;
    const answered = await answer(asked).catch((error: unknown): WebAnswer => {
      fault = toFault(error);
      return show(ofFault(fault, request), asked.signedIn);
    });
    logLine(
      {
        operation: "Console",
        lambdaRequestId: context.awsRequestId,
        requestId: request.requestId,
        caller: asked.startedBy ?? asked.signedIn?.session.CallerArn,
        sourceIp: request.sourceIp,
        method: request.method,
        path: request.path,
        status: answered.status,
        milliseconds: Math.round((performance.now() - startedAt) * 10) / 10,
      },
      fault,
    );
    return answered;
  });
}

async function answer(asked: Asked): Promise<WebAnswer> {
  const { request, deployment, now } = asked;
  const { method, path } = request;
  const isForm = method === "POST";
  if (isAssetPath(path)) return show(NOT_FOUND);
  if (!isForm && method !== "GET" && method !== "HEAD") return show(WRONG_METHOD);
  if (isForm && !isFromHere(request)) return show(FROM_ELSEWHERE);
  asked.signedIn = await findSession(deployment, request, now);
  if (path === SIGN_IN)
    return isForm
      ? whoWouldSignIn(asked)
      : show(enterToken(request, deployment.place.region), asked.signedIn);
  if (path === SIGN_IN_CONFIRMED && isForm) return confirmedSignIn(asked);
  const { signedIn } = asked;
  // Also from a page of an earlier session, or when it is over: nobody is left signed in who wants to leave.
  if (path === "/console/sign-out" && isForm) {
    if (signedIn) await endSession(deployment.table, signedIn.id);
    return show(SIGNED_OUT, undefined, [NO_SESSION_COOKIE]);
  }
  if (!signedIn) return withoutSession(asked);
  return visit(asked, signedIn, isForm && hasFormToken(request, signedIn.formToken));
}

/** Looks at whom a token signs in, and leaves it as it is. */
async function whoWouldSignIn({ request, deployment, signedIn, now }: Asked): Promise<WebAnswer> {
  const token = request.form.get("token")?.trim() ?? "";
  const who = await readSignInToken(deployment.table, token, now);
  return show(
    who ? confirm(token, who, signedIn?.session) : tokenRefused(request, deployment.place.region),
    signedIn,
  );
}

/** Always a new session, never one that was there: whoever put a cookie into the browser before gains nothing. */
async function confirmedSignIn(asked: Asked): Promise<WebAnswer> {
  const { request, deployment, handlers, context, now } = asked;
  const { table, place } = deployment;
  const token = request.form.get("token") ?? "";
  const who = await readSignInToken(table, token, now);
  if (!who) return show(tokenRefused(request, place.region), asked.signedIn);
  try {
    const call = callAs(who, handlers, request, context);
    const { id, session } = await signIn(deployment, token, who, call, now);
    asked.startedBy = who.CallerArn;
    const earlier = sessionIdOf(request);
    if (earlier !== undefined) await endSession(table, earlier);
    const cookie = sessionCookie(id, new Date(session.ExpiresAt * 1000), now);
    return seeOther(returnPlace(request), [cookie, NO_RETURN_COOKIE]);
  } catch (error) {
    const isUsed = error instanceof Fault && error.name === "ConflictException" && !error.transient;
    if (!isUsed) throw error;
    return show(tokenRefused(request, place.region), asked.signedIn);
  }
}

function withoutSession({ request, deployment }: Asked): WebAnswer {
  const isLink = request.method === "GET" && request.header("sec-fetch-site") === "cross-site";
  if (isLink && sessionIdOf(request) === undefined) return page(200, onceMore(request));
  const cookies = request.method === "GET" ? [returnCookie(request)] : [];
  return show(sessionIsOver(request, deployment.place.region), undefined, cookies);
}

async function visit(asked: Asked, signedIn: SignedIn, isTheirs: boolean): Promise<WebAnswer> {
  const { request, handlers, context } = asked;
  const { session, formToken } = signedIn;
  const found = findPage(request.path);
  if (!found) return show(NOT_FOUND, signedIn);
  const { page: asks, params } = found;
  const call = callAs(session, handlers, request, context);
  const visit: Visit = { request, session, params, formToken, call };
  const answered = (given: View | Redirect) =>
    "location" in given ? seeOther(given.location) : show(given, signedIn);
  if (request.method !== "POST") return answered(await asks.get(visit));
  if (!asks.post) return show(WRONG_METHOD, signedIn);
  if (!isTheirs) return show(sendAgain(visit), signedIn);
  return answered(await asks.post(visit));
}

function show(view: View, signedIn?: SignedIn, cookies?: readonly string[]): WebAnswer {
  return page(view.status ?? 200, layout(view, signedIn), cookies);
}

function findPage(path: string): { page: Page; params: Record<string, string> } | undefined {
  for (const candidate of PAGES) {
    const params = match(candidate.path, path);
    if (params) return { page: candidate, params };
  }
  return undefined;
}

/** What a path has in place of a pattern's `:Name`s, if it is of that pattern. */
function match(pattern: string, path: string): Record<string, string> | undefined {
  const [wanted, parts] = [pattern.split("/"), path.split("/")];
  if (wanted.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = wanted[index] ?? "";
    if (name.startsWith(":") && part !== "") params[name.slice(1)] = part;
    else if (name !== part) return undefined;
  }
  return params;
}
