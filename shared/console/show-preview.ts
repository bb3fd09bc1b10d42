import type * as z from "zod";
import type { PreviewPermissions } from "../contract/preview-permissions.ts";
import { type Content, html, type Html, name } from "./html.ts";
import { table } from "./list.ts";
import { level, levelThatCounts, person } from "./words.ts";

type Preview = z.output<typeof PreviewPermissions.output>;
type Row = Preview["Permissions"][number];

/** What a change comes to, for people to read before they save it. */
export function showPreview({ Permissions, GroupPermissions = [], ...rest }: Preview): Html {
  const { MoreMembers, Incomplete } = rest;
  const isKnown = Permissions.every(({ Gains }) => Gains !== undefined);
  return html`${
    GroupPermissions.length > 0 &&
    html`<h2>IAM groups</h2>${table(
      "Groups whose level changes",
      ["Group", "Level"],
      GroupPermissions.map(({ GroupName, Before, After }) => [
        name(GroupName),
        change(level(Before.Level), level(After.Level)),
      ]),
    )}`
  }
<h2>Users</h2>
${
  Permissions.length === 0
    ? html`<div class="empty">No user has more or less by it.</div>`
    : table(
        "Users for whom something changes",
        ["User", "Level that counts", "Instance access", "Gains", "Loses"],
        Permissions.map((row) => [
          person(row.IamUserArn),
          levels(row),
          access(row),
          [actions(row.Gains, "gain"), unknown(row)],
          actions(row.Loses, "loss"),
        ]),
      )
}
${MoreMembers !== undefined && html`<p class="note">And ${MoreMembers} more members of these groups, who are not listed.</p>`}
${Incomplete && html`<p class="note">There are so many users that not all members of these groups were looked for.</p>`}
<p class="hint">${isKnown ? "Actions on this stack, by level and IAM policies together: what a policy allows already is no gain, and what one denies stays denied." : html`Who gains and loses which actions is told to whoever is allowed <code>stackwarden:CheckAuthorization</code> on this stack.`}</p>`;
}

/** The level that counts, and the one that was set where that is another's. */
function levels({ Before, After }: Row): Content {
  const [before, after] = [levelThatCounts(Before), levelThatCounts(After)];
  const own = Before.Level !== After.Level && (Before.LevelFrom ?? After.LevelFrom) !== undefined;
  return [
    change(before, after),
    own && html`<span class="from">their own: ${change(level(Before.Level), level(After.Level))}</span>`,
  ];
}

function access({ Before, After }: Row): Content {
  const lines = [
    { label: "SSH/RDP", was: Before.AllowSsh, is: After.AllowSsh },
    { label: "sudo/admin", was: Before.AllowSudo, is: After.AllowSudo },
  ].flatMap(({ label, was, is }) => (was === is ? [] : [{ label, is }]));
  if (lines.length === 0) return html`<span class="from">unchanged</span>`;
  return lines.map(
    ({ label, is }) => html`<span class="${is ? "gain" : "loss"}">${is ? "gains" : "loses"} ${label}</span>`,
  );
}

function change(before: Html, after: Html): Html {
  if (before.toString() === after.toString()) return after;
  return html`<span class="turn">${before}<span class="becomes"> → <span class="unseen">becomes</span></span>${after}</span>`;
}

const FEW = 5;

function actions(names: readonly string[] | undefined, kind: "gain" | "loss"): Content {
  if (names === undefined) return html`<span class="from">not told</span>`;
  if (names.length === 0) return html`<span class="from">nothing</span>`;
  const items = html`<ul class="names">${names.map((action) => html`<li><code>${action.replace(/^opsworks:/, "")}</code></li>`)}</ul>`;
  if (names.length <= FEW) return html`<div class="${kind}">${items}</div>`;
  return html`<details><summary class="${kind}">${names.length} actions</summary>${items}</details>`;
}

function unknown({ AbsentKeys = [] }: Row): Content {
  if (AbsentKeys.length === 0) return undefined;
  return html`<p class="hint">Their policies also depend on ${AbsentKeys.map((key, index) => html`${index > 0 && ", "}<code>${key}</code>`)}, which only a request has.</p>`;
}
