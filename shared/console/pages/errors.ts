import type { WebRequest } from "../../lambda/web-request.ts";
import type { Fault, FaultCode } from "../../model/fault.ts";
import { html, type Html, sentence } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import type { View, Visit } from "../page.ts";

const TITLES: Readonly<Record<FaultCode, string>> = {
  ValidationException: "That cannot be done",
  AccessDeniedException: "You may not do this",
  ResourceNotFoundException: "Not found",
  ConflictException: "Somebody was faster",
  ThrottlingException: "Busy",
  InternalFailure: "Something went wrong",
  ServiceUnavailableException: "Not available",
};

const ADVICE: Readonly<Record<FaultCode, string>> = {
  ValidationException: "Nothing was changed.",
  AccessDeniedException:
    "Nothing was changed. Whoever manages the stack can give you a level there; a policy is attached in IAM.",
  ResourceNotFoundException: "It may have been deleted, or the address is mistyped.",
  ConflictException: "Nothing was changed. Look at how it is now, and try again.",
  ThrottlingException: "Nothing was changed. Try again in a moment.",
  InternalFailure:
    "Try again in a moment. Whoever runs Stackwarden finds what happened in the log, by this id:",
  ServiceUnavailableException: "Try again in a moment.",
};

/** What an operation refused, in its own words. */
export function ofFault({ name, statusCode, message }: Fault, { requestId }: WebRequest): View {
  return {
    status: statusCode,
    title: TITLES[name],
    body: html`<p class="note bad">${sentence(message)}</p>
<p>${adviceOn(name, message)}${statusCode >= 500 && html` <code>${requestId}</code>`}</p>
${BACK}`,
  };
}

/** Where no level would do, whoever gives levels cannot help. */
function adviceOn(name: FaultCode, message: string): string {
  if (name === "AccessDeniedException" && message.includes("only a policy can"))
    return "Nothing was changed. No level includes it: ask an administrator of the account for a policy, attached in IAM.";
  return ADVICE[name];
}

const BACK = html`<p class="actions"><a class="button" href="/console">All stacks</a></p>`;

export const NOT_FOUND: View = {
  status: 404,
  title: "Not found",
  body: html`<p>There is no such page. It may have been deleted, or the address is mistyped.</p>${BACK}`,
};

export const WRONG_METHOD: View = {
  status: 405,
  title: "Not possible",
  body: html`<p>This page is looked at, and nothing is sent to it.</p>${BACK}`,
};

/** A form that no page of ours sent, as far as the browser says. */
export const FROM_ELSEWHERE: View = {
  status: 403,
  title: "Not from here",
  body: html`<p>This came from another website, or your browser does not say where from. Nothing was changed.</p>${BACK}`,
};

/** A form of an earlier session: what was filled in is not lost, and is sent when whoever is signed in now says so. */
export function sendAgain({ request: { path, queryText, form }, session, formToken }: Visit): View {
  return {
    status: 403,
    title: "Send it again?",
    body: html`<div class="card"><p>The form was opened in an earlier session, so nothing was changed yet. You are signed in as <code>${session.CallerArn}</code>.</p>
<form method="post" action="${withQuery(path, queryText)}">${hiddenToken({ formToken })}${filledIn(form)}
<p class="actions"><button class="first">Send it as that user</button><a class="button" href="${path}">Do not send</a></p></form></div>`,
  };
}

/** What a form had in it, without the token of its session. */
export function filledIn(form: URLSearchParams): Html[] {
  return [...form]
    .filter(([member]) => member !== "form-token")
    .map(([member, value]) => html`<input type="hidden" name="${member}" value="${value}">`);
}

export function withQuery(path: string, queryText: string): string {
  return queryText === "" ? path : `${path}?${queryText}`;
}
