import type { ConsoleSession } from "../model/console-session.ts";
import { readPrincipal } from "../model/principal.ts";
import { ICON_PATH, SCRIPT_PATH, STYLE_PATH } from "./assets.ts";
import { type Html, html, name } from "./html.ts";
import type { View, Visit } from "./page.ts";
import { time } from "./words.ts";

/** A whole page: of somebody signed in, with the navigation and what a form needs to sign out. */
export function layout(
  view: View,
  visitor?: { readonly session: ConsoleSession; readonly formToken: string },
): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${view.title} · Stackwarden</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="${ICON_PATH}" type="image/svg+xml">
<link rel="stylesheet" href="${STYLE_PATH}">
<script src="${SCRIPT_PATH}" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="bar"><div>
<a class="brand" href="/console"><img src="${ICON_PATH}" width="22" height="22" alt="">Stackwarden</a>
${visitor && navigation(view, visitor)}
</div></header>
<main id="main" tabindex="-1">
<h1>${name(view.title)}</h1>
${view.body}
</main>
${
  visitor &&
  html`<footer class="foot">Signed in as <span class="key">${name(visitor.session.CallerArn)}</span> until ${time(new Date(visitor.session.ExpiresAt * 1000))}</footer>`
}
</body>
</html>
`;
}

function navigation(
  { section }: View,
  { session, formToken }: { readonly session: ConsoleSession; readonly formToken: string },
): Html {
  const principal = readPrincipal(session.CallerArn);
  const current = (of: View["section"]) => section === of && html` aria-current="page"`;
  return html`<nav aria-label="Console">
<a href="/console"${current("stacks")}>Stacks</a>
<a href="/console/users"${current("users")}>Users</a>
<a href="/console/explain"${current("explain")}>Explain</a>
<a href="/console/my-settings"${current("my-settings")}>My Settings</a>
</nav>
<span class="me">${name(principal?.sessionName ?? principal?.name ?? session.CallerArn)}</span>
<form method="post" action="/console/sign-out">${hiddenToken({ formToken })}<button>Sign out</button></form>`;
}

/** What every form has, so that nobody else's page can send it. */
export function hiddenToken({ formToken }: Pick<Visit, "formToken">): Html {
  return html`<input type="hidden" name="form-token" value="${formToken}">`;
}
