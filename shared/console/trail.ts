import type * as z from "zod";
import { DescribeEvents } from "../contract/describe-events.ts";
import { DescribePermissionsAt } from "../contract/describe-permissions-at.ts";
import { DescribeStacks } from "../contract/describe-stacks.ts";
import { readPrincipal } from "../model/principal.ts";
import { changes } from "./changes.ts";
import { findRows, positionOf } from "./find-rows.ts";
import { html, type Html, name, sentence } from "./html.ts";
import { list, table } from "./list.ts";
import { namesOfStacks, stackLink } from "./names-of-stacks.ts";
import type { Visit } from "./page.ts";
import { part } from "./part.ts";
import { exactTime, permission, person } from "./words.ts";

type Event = z.output<typeof DescribeEvents.output>["Events"][number];
type AtAnswer = z.output<typeof DescribePermissionsAt.output>;

/** Whose trail: of a stack or of a user; `users` leads to a user's page. */
type TrailOf = { readonly StackId: string } | { readonly IamUserArn: string };
type LinkToUser = (arn: string) => string;

/** The events of a stack or a user, the newest first or, where the address names a time, who held what then. */
export async function trail(visit: Visit, of: TrailOf, linkToUser: LinkToUser): Promise<Html> {
  const { query } = visit.request;
  const at = timeIn(query.get("at") ?? "");
  return html`${atForm(visit, query.get("at") ?? "")}
${at === undefined ? await events(visit, of, linkToUser) : await heldAt(visit, of, at, linkToUser)}`;
}

/** As the field has it, which is without a zone and means UTC, or as an event's link does. */
function timeIn(text: string): string | undefined {
  if (text === "") return undefined;
  if (/T\d{2}:\d{2}$/.test(text)) return `${text}:00Z`;
  return /T\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?$/.test(text) ? `${text}Z` : text;
}

function atForm({ request: { path, query } }: Visit, at: string): Html {
  const user = query.get("user");
  const [shown = "", fraction] = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(\.\d{1,3})?)?/.exec(at) ?? [];
  // An event's moment stays what it is: a second cut short would be before the event.
  const step = fraction === undefined ? "1" : "0.001";
  return html`<form class="find" action="${path}">${user !== null && html`<input type="hidden" name="user" value="${user}">`}
<div><label for="at">Who held what at this time (UTC)</label><input type="datetime-local" id="at" name="at" value="${shown}" step="${step}" required aria-describedby="at-hint"></div>
<button>Show</button></form>
<p class="hint" id="at-hint">In UTC. The times below name their own zone.</p>`;
}

function pathOf({ request: { path, query } }: Visit, more: Record<string, string> = {}): string {
  const user = query.get("user");
  const next = new URLSearchParams({ ...(user === null ? {} : { user }), ...more }).toString();
  return next === "" ? path : `${path}?${next}`;
}

async function events(visit: Visit, of: TrailOf, linkToUser: LinkToUser): Promise<Html> {
  const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
    const { Events, NextToken } = await visit.call(DescribeEvents, { ...of, ...paging });
    return { rows: Events, NextToken };
  };
  const { rows, next } = await findRows(fetch, positionOf(visit.request.query));
  const names = await namesOfStacks(
    visit,
    rows.flatMap(({ StackId }) => (StackId === undefined || "StackId" in of ? [] : [StackId])),
  );
  return list(visit, {
    caption: "What was changed, the newest first",
    columns: ["When", "What", "Change", "By"],
    rows: rows.map((event) => [
      html`${exactTime(new Date(event.Time))}<span class="from"><a href="${pathOf(visit, { at: event.Time })}">who held what then<span class="unseen"> at ${event.Time}</span></a></span>`,
      html`${event.Operation}${about(event, of, names, linkToUser)}`,
      changes(event.Before, event.After),
      html`${by(event.Caller)}${event.SourceIp !== undefined && html`<span class="from">from <code>${event.SourceIp}</code></span>`}${event.Reason !== undefined && html`<span class="reason">“${name(event.Reason)}”</span>`}`,
    ]),
    next,
    empty: "Nothing was changed since there are events.",
  });
}

/** Whom or what of the trail an event is about. */
function about(
  { StackId, IamUserArn, GroupName }: Event,
  of: TrailOf,
  names: ReadonlyMap<string, string>,
  linkToUser: LinkToUser,
): Html {
  return html`${IamUserArn !== undefined && "StackId" in of && html`<span class="from">of <a href="${linkToUser(IamUserArn)}">${name(readPrincipal(IamUserArn)?.name ?? IamUserArn)}</a></span>`}${GroupName !== undefined && html`<span class="from">of group ${name(GroupName)}</span>`}${StackId !== undefined && "IamUserArn" in of && html`<span class="from">on ${stackLink(StackId, names)}</span>`}`;
}

function by(caller: string): Html {
  return readPrincipal(caller) ? person(caller) : html`${name(caller)}`;
}

/** That a stack which is there now was made later; `undefined` when it was not, or is not the visitor's to see. */
async function notYet({ call }: Visit, of: TrailOf, at: string): Promise<Html | undefined> {
  if (!("StackId" in of)) return undefined;
  const described = await part(call(DescribeStacks, { StackIds: [of.StackId] }));
  const made = described.answer?.Stacks[0]?.CreatedAt;
  const [then, since] = [new Date(at), new Date(made ?? 0)];
  if (made === undefined || !(then < since)) return undefined;
  return html`The stack did not exist yet at ${exactTime(then)}: it was made at ${exactTime(since)}.`;
}

async function heldAt(visit: Visit, of: TrailOf, at: string, linkToUser: LinkToUser): Promise<Html> {
  let asOf = at;
  let groups: AtAnswer["GroupPermissions"];
  const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
    const answer = await visit.call(DescribePermissionsAt, { ...of, At: at, ...paging });
    [asOf, groups] = [answer.At, answer.GroupPermissions];
    return { rows: answer.Permissions, NextToken: answer.NextToken };
  };
  const found = await part(findRows(fetch, positionOf(visit.request.query)));
  const all = html`<a href="${pathOf(visit)}">Show all changes</a>`;
  // That there was no such stack then, or no such time, is no reason to take the page away.
  if (found.refusal) {
    if (found.refusal.name === "AccessDeniedException") throw found.refusal;
    const why = (await notYet(visit, of, at)) ?? sentence(found.refusal.message);
    return html`<p class="note bad">${why}</p><p>${all}</p>`;
  }
  const { rows, next } = found.answer;
  const names = await namesOfStacks(visit, "StackId" in of ? [] : rows.map(({ StackId }) => StackId));
  const since = ({ Since, By, Reason }: { Since: string; By: string; Reason?: string | undefined }) =>
    html`${exactTime(new Date(Since))} by ${name(By)}${Reason !== undefined && html`<span class="reason">“${name(Reason)}”</span>`}`;
  return html`<h2>At ${exactTime(new Date(asOf))}</h2>
<p class="sub">Levels and instance access as the events tell it; what IAM policies allowed then is not in it. ${all}</p>
${list(visit, {
  caption: "Who held something, and since when",
  columns: ["StackId" in of ? "User" : "Stack", "Held", "Since"],
  rows: rows.map((row) => [
    "StackId" in of
      ? html`<a class="who" href="${linkToUser(row.IamUserArn)}">${name(readPrincipal(row.IamUserArn)?.name ?? row.IamUserArn)}</a><span class="arn">${name(row.IamUserArn)}</span>`
      : stackLink(row.StackId, names),
    permission(row),
    since(row),
  ]),
  next,
  empty: "Nobody held a level or instance access then.",
})}
${
  groups !== undefined &&
  html`<h2>IAM groups</h2>${table(
    "Groups that had a level then",
    ["Group", "Held", "Since"],
    groups.map((group) => [
      name(group.GroupName),
      permission({ Level: group.Level, AllowSsh: false, AllowSudo: false }),
      since(group),
    ]),
  )}`
}`;
}
