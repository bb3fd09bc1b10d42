import type { WebRequest } from "../../lambda/web-request.ts";
import type { ConsoleSession, SignInToken } from "../../model/console-session.ts";
import { html, type Html, name } from "../html.ts";
import type { View } from "../page.ts";
import { filledIn, withQuery } from "./errors.ts";

export const SIGN_IN = "/console/sign-in";
export const SIGN_IN_CONFIRMED = "/console/sign-in/confirm";

/** Where the address with the token leads; the script takes the token from it and sends it. */
export function enterToken(request: WebRequest, region: string): View {
  return {
    title: "Sign in",
    body: html`${howTo(request, region)}
<form class="card" method="post" action="${SIGN_IN}" data-sign-in>
<label for="token">Sign-in code</label>
<input type="text" id="token" name="token" autocomplete="off" spellcheck="false" maxlength="64" required aria-describedby="token-hint">
<p class="hint" id="token-hint">What follows the # in the address that the command printed. It is good for one minute, and once.</p>
<p class="actions"><button class="first">Continue</button></p>
</form>`,
  };
}

/** Whom the token signs in, who may be somebody else than the reader thinks: it takes their click. */
export function confirm(
  token: string,
  { CallerArn }: SignInToken,
  current: ConsoleSession | undefined,
): View {
  return {
    title: "Sign in?",
    body: html`<div class="card">
<p>This signs you in as</p>
<p><strong class="key">${name(CallerArn)}</strong></p>
${
  current
    ? html`<p>You are signed in as <code>${current.CallerArn}</code>, and that session ends.</p>`
    : html`<p>If that is not you, somebody sent you their own sign-in: close this page.</p>`
}
<form method="post" action="${SIGN_IN_CONFIRMED}"><input type="hidden" name="token" value="${token}">
<p class="actions"><button class="first">Sign in</button><a class="button" href="/console">Cancel</a></p></form></div>`,
  };
}

export function tokenRefused(request: WebRequest, region: string): View {
  return {
    status: 403,
    title: "This sign-in does not work any more",
    body: html`<p class="note bad">The code is wrong, was used already, or is more than a minute old.</p>${howTo(request, region)}`,
  };
}

/** There is no session, or it is over. A form that was sent is kept, to be sent after signing in. */
export function sessionIsOver(request: WebRequest, region: string): View {
  const { method, path, queryText, form } = request;
  const wasSent = method === "POST" && [...form].length > 0;
  return {
    status: 401,
    title: "Sign in to go on",
    body: html`<p>You are not signed in, or your session is over: it lasts an hour${wasSent && html`. <strong>Nothing was changed yet.</strong> Sign in as below in another tab; what you filled in stays here`}.</p>
${howTo(request, region)}
${
  wasSent
    ? html`<form method="post" action="${withQuery(path, queryText)}">${filledIn(form)}<p class="actions"><button class="first">I have signed in, send it</button></p></form>`
    : html`<p>You come back to this page when you have.</p>`
}`,
  };
}

export const SIGNED_OUT: View = {
  title: "You are signed out",
  body: html`<p>The session has ended, here and in every other tab.</p><p class="actions"><a class="button" href="/console">Sign in again</a></p>`,
};

function howTo({ header }: WebRequest, region: string): Html {
  const host = header("host") ?? "";
  const scheme = /^(?:127\.|localhost)/.test(host) ? "http" : "https";
  return html`<p>There is no password: run this with your own AWS credentials. It opens your browser, signed in.</p>
<pre><code>npx stackwarden console --url ${scheme}://${host} --region ${region}</code></pre>`;
}

/** A link from another website comes without the session, which is there all the same: the browser is sent here once more, from here. */
export function onceMore({ path, queryText }: WebRequest): Html {
  const here = withQuery(path, queryText);
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Stackwarden</title><meta http-equiv="refresh" content="0;url=${here}"></head><body><p><a href="${here}">Go on to the console</a></p></body></html>`;
}
