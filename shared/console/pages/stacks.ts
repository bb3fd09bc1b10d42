import { DescribeMyUserProfile } from "../../contract/describe-my-user-profile.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { Fault } from "../../model/fault.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, name, sentence } from "../html.ts";
import { list, searchedFor, searchForm } from "../list.ts";
import { stackPath } from "../names-of-stacks.ts";
import type { Page, View, Visit } from "../page.ts";
import { level, levelThatCounts, yesOrNo } from "../words.ts";
import type { OwnPermission } from "./my-settings.ts";

const OPEN = "/console/stacks";
type Row = { readonly StackId: string; readonly StackName: string; readonly own?: OwnPermission };

/** Every stack, with what the visitor holds there. */
export const stacks: Page = {
  path: "/console",
  async get(visit) {
    try {
      return await show(visit);
    } catch (error) {
      if (error instanceof Fault && isRefusal(error)) return mayNotList(error);
      throw error;
    }
  },
};

/** Leads to a stack whose id somebody typed. */
export const openStack: Page = {
  path: OPEN,
  async get({ request: { query } }) {
    const StackId = query.get("StackId")?.trim() ?? "";
    return { location: StackId === "" ? "/console" : stackPath(StackId) };
  },
};

async function show(visit: Visit): Promise<View> {
  const search = searchedFor(visit);
  const isWanted = ({ StackName, StackId }: Row) =>
    `${StackName}\n${StackId}`.toLowerCase().includes(search ?? "");
  const position = positionOf(visit.request.query);
  const { rows, next } = await findRows(lister(visit), position, search === undefined ? undefined : isWanted);
  return {
    title: "Stacks",
    section: "stacks",
    body: html`<p class="sub">Choose a stack to see what it has, and who may do what there.</p>
${searchForm(visit, "Search by name or id")}
${list(visit, {
  caption:
    search === undefined
      ? "Stacks and your level on each"
      : `Stacks that have “${search}” in their name or id`,
  columns: ["Stack", "Your level", "SSH/RDP", "sudo/admin"],
  rows: rows.map(({ StackId, StackName, own }) => [
    html`<a href="${stackPath(StackId)}">${name(StackName)}</a><span class="arn">${StackId}</span>`,
    own ? levelThatCounts(own) : level("iam_only"),
    yesOrNo(own?.AllowSsh ?? false, "SSH/RDP"),
    yesOrNo(own?.AllowSudo ?? false, "sudo/admin"),
  ]),
  next,
  empty:
    search === undefined ? NONE : html`No stack is called like that. <a href="/console">Show all stacks</a>`,
})}`,
  };
}

const NONE = html`<p>There is no stack yet.</p><p>Whoever has a policy that allows <code>opsworks:CreateStack</code> makes the first one with the operation CreateStack.</p>`;

/** A level on a stack is no right to list them all, but it opens that one. */
function mayNotList({ statusCode, message }: Fault): View {
  return {
    status: statusCode,
    title: "Stacks",
    section: "stacks",
    body: html`<p class="note bad">${sentence(message)}</p>
<p>Listing the stacks takes self-management or a policy. A stack on which you have a level opens by its id:</p>
<form class="find" action="${OPEN}"><div><label for="StackId">Stack id</label><input type="text" id="StackId" name="StackId" required maxlength="36" autocomplete="off" spellcheck="false"></div><button class="first">Open</button></form>`,
  };
}

type Paging = { MaxResults: number; NextToken?: string };

/** The own profile has every stack; somebody without a profile, such as an administrator, lists the stacks themselves. */
function lister({ call }: Visit) {
  const ofProfile = async (paging: Paging) => {
    const { Permissions, NextToken } = await call(DescribeMyUserProfile, paging);
    return { rows: Permissions.map((own): Row => ({ ...own, own })), NextToken };
  };
  const ofStacks = async (paging: Paging) => {
    const { Stacks, NextToken } = await call(DescribeStacks, paging);
    return { rows: Stacks.map(({ StackId, Name }): Row => ({ StackId, StackName: Name })), NextToken };
  };
  return async (paging: Paging) => {
    try {
      return await ofProfile(paging);
    } catch (refusal) {
      if (!isRefusal(refusal)) throw refusal;
      return ofStacks(paging).catch((error: unknown) => {
        throw isRefusal(error) ? refusal : error;
      });
    }
  };
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Fault && ["AccessDeniedException", "ResourceNotFoundException"].includes(error.name)
  );
}
