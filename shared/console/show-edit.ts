import { MAX_USERS } from "../contract/set-permissions.ts";
import type { Permission } from "../model/grant.ts";
import type { Event } from "../model/event.ts";
import type { Level } from "../model/level.ts";
import { type Edit, type GroupEdit, NEW_GROUP, type RowId, type UserEdit, writePermission } from "./edit.ts";
import { reasonField } from "./fields.ts";
import { type Content, html, type Html, name, sentence } from "./html.ts";
import { hiddenToken } from "./layout.ts";
import { table } from "./list.ts";
import type { Visit } from "./page.ts";
import { calledOf, level, levelOptions, person, time } from "./words.ts";

/** What is to be said of an edit. */
export type Said = {
  /** What an operation refused, by the row it is about; under `undefined`, what is about no row. */
  readonly wrong: ReadonlyMap<RowId | undefined, string>;
  /** What somebody else has made of a row meanwhile. */
  readonly overtaken: ReadonlyMap<RowId, Permission | Level>;
  /** Who did, and when, as far as the visitor may know. */
  readonly overtakenBy: ReadonlyMap<RowId, Pick<Event, "Caller" | "Time">>;
};

/** The form in which a stack's permissions are changed. @param isOwn whose level is the visitor's, which they may not set */
export function showEdit(
  visit: Pick<Visit, "formToken">,
  { action, cancel, edit, said }: { action: string; cancel: string; edit: Edit; said?: Said | undefined },
  isOwn: (arn: string) => boolean,
): Html {
  return html`${said && summary(edit, said)}
<form method="post" action="${action}" data-edit data-most="${MAX_USERS}">${hiddenToken(visit)}
<h2>Users</h2>
<p class="hint" id="edit-hint">The users that are listed here are changed together, up to ${MAX_USERS} at a time: all of it is saved, or nothing. To change others, search for them first.</p>
${
  edit.users.length === 0
    ? html`<div class="empty">Nobody is listed.</div>`
    : table(
        "Users, with their level and instance access on this stack, to be changed",
        ["User", "Permission level", "SSH/RDP", "sudo/admin"],
        edit.users.map((row) => userCells(row, isOwn(row.IamUserArn), said)),
      )
}
<h2>IAM groups</h2>
${table(
  "Groups, with the level that their members have on this stack, to be changed",
  ["Group", "Permission level"],
  [
    ...edit.groups.filter(({ id }) => id !== NEW_GROUP).map((row) => groupCells(row, said)),
    newGroup(edit, said),
  ],
)}
<div class="why">${reasonField(edit.Reason)}</div>
<div class="save"><button class="first" name="step" value="preview">Preview the changes</button><a class="button" href="${cancel}" data-leaves>Cancel</a><span data-changed role="status"></span></div>
</form>`;
}

function userCells(row: UserEdit, isOwn: boolean, said: Said | undefined): Content[] {
  const { id, IamUserArn, Version, was, now } = row;
  const who = calledOf(IamUserArn);
  const described = describedBy(id, said);
  const box = (member: string, isChecked: boolean, label: string) =>
    html`<label class="box"><input type="checkbox" name="${id}.${member}" value="yes"${isChecked && html` checked`} aria-label="${label} of ${who}"${described}><span class="narrow">${label}</span></label>`;
  return [
    html`${person(IamUserArn)}<input type="hidden" name="${id}" value="${IamUserArn}"><input type="hidden" name="${id}.version" value="${Version}"><input type="hidden" name="${id}.was" value="${writePermission(was)}" data-was="${id}">`,
    isOwn
      ? html`<span id="${id}" tabindex="-1">${level(was.Level)}</span><span class="from">Nobody changes their own level.</span>${remarks(id, said)}`
      : html`${levelOf(id, now.Level, `Level of ${who}`, described)}${remarks(id, said)}`,
    box("ssh", now.AllowSsh, "SSH/RDP"),
    box("sudo", now.AllowSudo, "sudo/admin"),
  ];
}

function groupCells({ id, GroupName, Version, was, now }: GroupEdit, said: Said | undefined): Content[] {
  return [
    html`${name(GroupName)}<input type="hidden" name="${id}" value="${GroupName}"><input type="hidden" name="${id}.version" value="${Version}"><input type="hidden" name="${id}.was" value="${was}" data-was="${id}">`,
    html`${levelOf(id, now, `Level of the group ${GroupName}`, describedBy(id, said))}${remarks(id, said)}`,
  ];
}

/** A group that has no level here yet. */
function newGroup({ groups }: Edit, said: Said | undefined): Content[] {
  const row = groups.find(({ id }) => id === NEW_GROUP);
  const described = describedBy(NEW_GROUP, said);
  return [
    html`<input type="text" name="${NEW_GROUP}" value="${row?.GroupName ?? ""}" maxlength="128" autocomplete="off" spellcheck="false" placeholder="Another group" data-new aria-label="Name of another group"${described}>`,
    html`${levelOf(NEW_GROUP, row?.now ?? "iam_only", "Level of the other group", described)}${remarks(NEW_GROUP, said)}`,
  ];
}

function levelOf(id: RowId, chosen: Level, label: string, described: Html): Html {
  return html`<select id="${id}" name="${id}.level" aria-label="${label}"${described}>${levelOptions(chosen)}</select>`;
}

/** What is said of a row stands in it, and is read with each of its controls. */
function describedBy(id: RowId, said: Said | undefined): Html {
  const isWrong = said?.wrong.has(id);
  const ids = [isWrong && `${id}-wrong`, said?.overtaken.has(id) && `${id}-meanwhile`].filter(Boolean);
  if (ids.length === 0) return html``;
  return html` aria-describedby="${ids.join(" ")}"${isWrong && html` aria-invalid="true"`}`;
}

function remarks(id: RowId, said: Said | undefined): Content {
  const [wrong, overtaken] = [said?.wrong.get(id), said?.overtaken.get(id)];
  return [
    overtaken !== undefined &&
      html`<p class="meanwhile" id="${id}-meanwhile">${who(said?.overtakenBy.get(id))} set meanwhile: ${held(overtaken)}</p>`,
    wrong !== undefined && html`<p class="wrong" id="${id}-wrong">${sentence(wrong)}</p>`,
  ];
}

function who(event: Pick<Event, "Caller" | "Time"> | undefined): Content {
  if (!event) return "Somebody else";
  return html`<strong>${name(calledOf(event.Caller))}</strong> (${time(new Date(event.Time))})`;
}

function held(what: Permission | Level): Content {
  if (typeof what === "string") return level(what);
  const access = [what.AllowSsh && "SSH/RDP", what.AllowSudo && "sudo/admin"].filter(Boolean);
  return [level(what.Level), ` with ${access.length === 0 ? "no instance access" : access.join(" and ")}`];
}

/** What is wrong, first of all on the page and with the way to each of it. */
function summary({ users, groups }: Edit, { wrong, overtaken }: Said): Html {
  const about = (id: RowId): Content => {
    const user = users.find((row) => row.id === id);
    if (user) return name(calledOf(user.IamUserArn));
    return html`group ${name(groups.find((row) => row.id === id)?.GroupName ?? "")}`;
  };
  const other = wrong.get(undefined);
  const rows = [...wrong].flatMap(([id, text]) => (id === undefined ? [] : [{ id, text }]));
  return html`<div class="note bad" role="alert" tabindex="-1" autofocus>
<p><strong>Nothing was saved yet</strong>, and nothing that you have set here is lost.</p>
${other !== undefined && html`<p>${sentence(other)}</p>`}
${
  overtaken.size > 0 &&
  html`<p>Somebody else has changed this meanwhile. What you have changed stays as you set it, the rest is as it is now:</p>
<ul>${[...overtaken.keys()].map((id) => html`<li><a href="#${id}">${about(id)}</a></li>`)}</ul>`
}
${rows.length > 0 && html`<ul>${rows.map(({ id, text }) => html`<li><a href="#${id}">${about(id)}</a>: ${sentence(text)}</li>`)}</ul>`}
</div>`;
}
