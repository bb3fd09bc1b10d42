import { randomUUID } from "node:crypto";
import type * as z from "zod";
import { namesOf } from "../../access/who.ts";
import { DescribeEvents } from "../../contract/describe-events.ts";
import { DescribePermissions } from "../../contract/describe-permissions.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { PreviewPermissions } from "../../contract/preview-permissions.ts";
import { SetPermissions } from "../../contract/set-permissions.ts";
import { Fault } from "../../model/fault.ts";
import { PERMISSION_OPERATIONS } from "../../model/permission-history.ts";
import { readPrincipal } from "../../model/principal.ts";
import {
  type Changes,
  changesOf,
  type Edit,
  editOf,
  type GroupRow,
  overtake,
  readEdit,
  type RowId,
  saidOf,
  type UserRow,
} from "../edit.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, type Html, name } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import { list, searchedFor, searchForm, table } from "../list.ts";
import type { Page, Redirect, View, Visit } from "../page.ts";
import { part } from "../part.ts";
import { type Said, showEdit } from "../show-edit.ts";
import { showPreview } from "../show-preview.ts";
import { stackTabs } from "../stack-tabs.ts";
import { whichMay } from "../which-may.ts";
import { level, levelThatCounts, person, yesOrNo } from "../words.ts";
import { filledIn } from "./errors.ts";
import { explainPath } from "./explain.ts";
import { userLevelsPath } from "./user-levels.ts";

type Answer = z.output<typeof DescribePermissions.output>;

/** Who may do what on a stack; with `edit` in the address, the same to be changed. */
export const permissions: Page = {
  path: "/console/stacks/:StackId/permissions",
  async get(visit) {
    return isEditing(visit) ? startEdit(visit) : show(visit);
  },
  async post(visit) {
    const edit = readEdit(visit.request.form);
    const changes = changesOf(stackIdOf(visit), edit);
    const step = visit.request.form.get("step");
    const isNothing = changes.users.length + changes.groups.length === 0;
    if (step === "edit" || isNothing) return goOn(visit, edit, isNothing && step !== "edit");
    try {
      return step === "save" ? await save(visit, changes) : await preview(visit, changes);
    } catch (error) {
      if (!(error instanceof Fault) || error.name === "AccessDeniedException") throw error;
      return tellWhy(visit, edit, changes, error);
    }
  },
};

function stackIdOf({ params: { StackId = "" } }: Visit): string {
  return StackId;
}

function isEditing({ request: { query } }: Visit): boolean {
  return query.get("edit") === "yes";
}

/** The address of the page as it is, but for what is said of it: a search and its part of the list stay. */
function here({ request: { path, query } }: Visit, more: Readonly<Record<string, string>> = {}): string {
  const next = new URLSearchParams(query);
  for (const said of ["edit", "done"]) next.delete(said);
  for (const [key, value] of Object.entries(more)) next.set(key, value);
  const text = next.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** What is searched for among the users, or the part of all of them. */
async function find(visit: Visit) {
  const { request, call } = visit;
  const StackId = stackIdOf(visit);
  const search = searchedFor(visit);
  const onlyHolders = request.query.get("show") === "holders";
  const isFiltered = search !== undefined || onlyHolders;
  let groups: readonly GroupRow[] = [];
  const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
    const answer: Answer = await call(DescribePermissions, { StackId, ...paging });
    groups = answer.GroupPermissions ?? [];
    return { rows: answer.Permissions, NextToken: answer.NextToken };
  };
  const isWanted = (row: UserRow) =>
    (!onlyHolders || holdsSomething(row)) &&
    (search === undefined || row.IamUserArn.toLowerCase().includes(search));
  const found = await findRows(fetch, positionOf(request.query), isFiltered ? isWanted : undefined);
  return { ...found, groups, isFiltered };
}

function holdsSomething({ Level, EffectiveLevel = Level, AllowSsh, AllowSudo }: UserRow): boolean {
  return AllowSsh || AllowSudo || Level !== "iam_only" || EffectiveLevel !== "iam_only";
}

async function show(visit: Visit): Promise<View> {
  const { path, query } = visit.request;
  const StackId = stackIdOf(visit);
  const [{ rows, next, groups, isFiltered }, title, mayEdit, maySeeUsers] = await Promise.all([
    find(visit),
    titleOf(visit),
    whichMay(visit, ["opsworks:SetPermission"], StackId),
    whichMay(visit, ["opsworks:DescribePermissions"]),
  ]);
  const pageOf = (arn: string) => (maySeeUsers.size > 0 ? userLevelsPath(arn) : undefined);
  return {
    title,
    section: "stacks",
    body: html`${stackTabs(stackIdOf(visit), "/permissions")}
<p class="sub">Stack <code>${StackId}</code></p>
${query.get("done") === "saved" && html`<p class="note good" role="status">The changes were saved, all of them. They count from now on.</p>`}
<h2>Users</h2>
<div class="head">${searchForm(visit, "Search by name or ARN", {
      name: "show",
      label: "Show",
      options: { "": "Everybody", holders: "Who has a level or instance access" },
    })}
${mayEdit.size > 0 && html`<p class="actions"><a class="button first" href="${here(visit, { edit: "yes" })}">Edit</a></p>`}</div>
${list(visit, {
  caption: isFiltered
    ? "Users who match, with their level and instance access on this stack"
    : "Users, with their level and instance access on this stack",
  columns: ["User", "Level", "Level that counts", "SSH/RDP", "sudo/admin"],
  rows: rows.map((row) => [
    person(row.IamUserArn, pageOf(row.IamUserArn)),
    level(row.Level),
    row.LevelFrom === undefined ? html`<span class="from">their own</span>` : levelThatCounts(row),
    yesOrNo(row.AllowSsh, "SSH/RDP"),
    yesOrNo(row.AllowSudo, "sudo/admin"),
  ]),
  next,
  empty: isFiltered
    ? html`Nobody matches. <a href="${path}">Show everybody</a>`
    : html`<p>There are no users yet.</p><p>They are <a href="/console/users/import">imported from IAM</a>.</p>`,
})}
<h2>IAM groups</h2>
${
  groups.length === 0
    ? html`<div class="empty">No group has a level on this stack. A group’s level counts for all its members.</div>`
    : table(
        "Groups, with the level that their members have on this stack",
        ["Group", "Level"],
        groups.map(({ GroupName, Level }) => [name(GroupName), level(Level)]),
      )
}
<p class="hint">IAM policies count beside the level: with “IAM Policies Only” they alone decide. A Deny in either wins. <a href="${explainPath({ stack: StackId })}">Explain what somebody may do here</a></p>`,
  };
}

async function startEdit(visit: Visit): Promise<View> {
  const StackId = stackIdOf(visit);
  const [{ rows, groups }, mayEdit] = await Promise.all([
    find(visit),
    whichMay(visit, ["opsworks:SetPermission"], StackId),
  ]);
  if (mayEdit.size === 0) return mayNot(visit);
  return editView(visit, editOf(rows, groups));
}

/** Who may look and not change. */
async function mayNot(visit: Visit): Promise<View> {
  return {
    status: 403,
    title: await titleOf(visit),
    section: "stacks",
    body: html`<p class="note bad">You may look at these permissions and not change them: that takes <code>opsworks:SetPermission</code> on this stack, which Manage includes.</p>
<p class="actions"><a class="button" href="${here(visit)}">Look at them</a></p>`,
  };
}

async function editView(visit: Visit, edit: Edit, said?: Said, note?: Html): Promise<View> {
  const own = readPrincipal(visit.session.CallerArn);
  const ownNames = new Set(own ? namesOf(own) : []);
  const form = { action: here(visit, { edit: "yes" }), cancel: here(visit), edit, said };
  return {
    title: await titleOf(visit),
    section: "stacks",
    body: html`${stackTabs(stackIdOf(visit), "/permissions")}
<p class="sub">Stack <code>${stackIdOf(visit)}</code></p>
${note}${showEdit(visit, form, (arn) => ownNames.has(arn))}`,
  };
}

function goOn(visit: Visit, edit: Edit, isNothing: boolean): Promise<View> {
  const note = html`<p class="note" role="status">Nothing is changed yet.</p>`;
  return editView(visit, edit, undefined, isNothing ? note : undefined);
}

async function preview(visit: Visit, { input }: Changes): Promise<View> {
  const outcome = await visit.call(PreviewPermissions, input);
  const kept = new URLSearchParams(visit.request.form);
  for (const member of ["step", "client-token"]) kept.delete(member);
  // A new one with each preview: what was sent twice is done once, and what was changed in between is another request.
  kept.set("client-token", randomUUID());
  return {
    title: `Preview: ${await titleOf(visit)}`,
    section: "stacks",
    body: html`${stackTabs(stackIdOf(visit), "/permissions")}
<p class="sub">Stack <code>${stackIdOf(visit)}</code></p>
<p class="note" role="status">Nothing is saved yet. This is what the changes come to${input.Reason !== undefined && html`, for the reason “${name(input.Reason)}”`}.</p>
${showPreview(outcome)}
<form method="post" action="${here(visit, { edit: "yes" })}">${hiddenToken(visit)}${filledIn(kept)}
<div class="save"><button class="first" name="step" value="save">Save</button><button name="step" value="edit">Back to editing</button><a class="button" href="${here(visit)}">Cancel</a></div></form>`,
  };
}

async function save(visit: Visit, { input }: Changes): Promise<Redirect> {
  const ClientToken = visit.request.form.get("client-token");
  await visit.call(SetPermissions, ClientToken === null ? input : { ...input, ClientToken });
  return { location: here(visit, { done: "saved" }) };
}

/** Nothing that was filled in is lost, whatever was wrong with it. */
async function tellWhy(visit: Visit, edit: Edit, changes: Changes, fault: Fault): Promise<View> {
  const isOvertaken = fault.name === "ConflictException";
  const now = isOvertaken
    ? await readAgain(visit, edit, changes)
    : { edit, overtaken: new Map(), overtakenBy: new Map() };
  const wrong = new Map(now.overtaken.size > 0 ? [] : saidOf(fault, changes));
  const other = wrong.get(undefined);
  if (other !== undefined) wrong.set(undefined, withMore(other, fault, visit, changes));
  const view = await editView(visit, now.edit, { ...now, wrong });
  return { ...view, status: fault.statusCode };
}

/** What is about no single row, with what helps to go on. */
function withMore(
  said: string,
  { statusCode }: Fault,
  { request }: Visit,
  { users, groups }: Changes,
): string {
  if (statusCode >= 500) return `${said}: try again in a moment (${request.requestId})`;
  if (statusCode === 429 || statusCode === 409) return `${said}: try again in a moment`;
  return `${said}; changed here are ${users.length} users and ${groups.length} groups`;
}

/** What there is now in place of what the visitor changed. */
async function readAgain(visit: Visit, edit: Edit, { users, groups }: Changes) {
  const StackId = stackIdOf(visit);
  const rows = new Map<RowId, UserRow>();
  const [, { GroupPermissions = [] }] = await Promise.all([
    Promise.all(
      users.map(async ({ id, IamUserArn }) => {
        const row = await findRow(visit, IamUserArn);
        if (row) rows.set(id, row);
      }),
    ),
    visit.call(DescribePermissions, { StackId, MaxResults: 1 }),
  ]);
  const ofGroups = new Map<RowId, GroupRow | undefined>();
  for (const { id, GroupName } of groups) {
    const isSame = (row: GroupRow) => row.GroupName.toLowerCase() === GroupName.toLowerCase();
    ofGroups.set(id, GroupPermissions.find(isSame));
  }
  const now = overtake(edit, rows, ofGroups);
  return { ...now, overtakenBy: now.overtaken.size > 0 ? await whoDid(visit, now) : new Map() };
}

/** Who has last changed what the visitor would have written over, by the newest events of the stack. */
async function whoDid(
  visit: Visit,
  { edit, overtaken }: ReturnType<typeof overtake>,
): Promise<Said["overtakenBy"]> {
  const asked = await part(visit.call(DescribeEvents, { StackId: stackIdOf(visit), MaxResults: 100 }));
  const events = (asked.refusal ? [] : asked.answer.Events).filter(({ Operation }) =>
    PERMISSION_OPERATIONS.includes(Operation),
  );
  const found = [
    ...edit.users.map(({ id, IamUserArn }) => ({
      id,
      event: events.find((event) => event.IamUserArn === IamUserArn),
    })),
    ...edit.groups.map(({ id, GroupName }) => ({
      id,
      event: events.find((event) => event.GroupName === GroupName),
    })),
  ];
  return new Map(
    found.flatMap(({ id, event }) => (event && overtaken.has(id) ? [[id, event] as const] : [])),
  );
}

/** Whoever was deleted meanwhile has none. */
async function findRow(visit: Visit, IamUserArn: string): Promise<UserRow | undefined> {
  try {
    const { Permissions } = await visit.call(DescribePermissions, { StackId: stackIdOf(visit), IamUserArn });
    return Permissions[0];
  } catch (error) {
    if (error instanceof Fault && error.name === "ResourceNotFoundException") return undefined;
    throw error;
  }
}

/** The name is for who may describe the stack; whoever may only see its permissions reads its id. */
async function titleOf(visit: Visit): Promise<string> {
  const StackId = stackIdOf(visit);
  try {
    const { Stacks } = await visit.call(DescribeStacks, { StackIds: [StackId] });
    return `Permissions of ${Stacks[0]?.Name ?? StackId}`;
  } catch (error) {
    if (error instanceof Fault && (error.statusCode < 500 || visit.request.method === "POST"))
      return `Permissions of ${StackId}`;
    throw error;
  }
}
