import { DescribeMyUserProfile } from "../../contract/describe-my-user-profile.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { Fault } from "../../model/fault.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, name } from "../html.ts";
import { list, searchedFor, searchForm } from "../list.ts";
import type { Page, Visit } from "../page.ts";
import { level, yesOrNo } from "../words.ts";
import { levelThatCounts, type OwnPermission } from "./my-settings.ts";
import { permissionsPath } from "./permissions.ts";

type Row = { readonly StackId: string; readonly StackName: string; readonly own?: OwnPermission };

/** Every stack, with what the visitor holds there. */
export const stacks: Page = {
  path: "/console",
  async get(visit) {
    const search = searchedFor(visit);
    const fetch = await whoLists(visit);
    const isWanted =
      search && (({ StackName, StackId }: Row) => `${StackName}\n${StackId}`.toLowerCase().includes(search));
    const { rows, next } = await findRows(fetch, positionOf(visit.request.query), isWanted || undefined);
    return {
      title: "Stacks",
      section: "stacks",
      body: html`<p class="sub">Choose a stack to see who may do what there.</p>
${searchForm(visit, "Search by name or id")}
${list(visit, {
  caption:
    search === undefined
      ? "Stacks and your level on each"
      : `Stacks that have “${search}” in their name or id`,
  columns: ["Stack", "Your level", "SSH/RDP", "sudo/admin"],
  rows: rows.map(({ StackId, StackName, own }) => [
    html`<a href="${permissionsPath(StackId)}">${name(StackName)}</a><span class="arn">${StackId}</span>`,
    own ? levelThatCounts(own) : level("iam_only"),
    yesOrNo(own?.AllowSsh ?? false, "SSH/RDP"),
    yesOrNo(own?.AllowSudo ?? false, "sudo/admin"),
  ]),
  next,
  empty:
    search === undefined ? NONE : html`No stack is called like that. <a href="/console">Show all stacks</a>`,
})}`,
    };
  },
};

const NONE = html`<p>There is no stack yet.</p><p>Whoever has a policy that allows <code>opsworks:CreateStack</code> makes the first one with the operation CreateStack.</p>`;

/** The own profile has every stack; somebody without a profile, such as an administrator, lists the stacks themselves. */
async function whoLists({ call }: Visit) {
  const byProfile = async (paging: { MaxResults: number; NextToken?: string }) => {
    const { Permissions, NextToken } = await call(DescribeMyUserProfile, paging);
    return { rows: Permissions.map((own): Row => ({ ...own, own })), NextToken };
  };
  const byStacks = async (paging: { MaxResults: number; NextToken?: string }) => {
    const { Stacks, NextToken } = await call(DescribeStacks, paging);
    return { rows: Stacks.map(({ StackId, Name }): Row => ({ StackId, StackName: Name })), NextToken };
  };
  return async (paging: { MaxResults: number; NextToken?: string }) => {
    try {
      return await byProfile(paging);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return byStacks(paging).catch((again: unknown) => {
        throw isRefusal(again) ? error : again;
      });
    }
  };
}

function isRefusal(error: unknown): boolean {
  return (
    error instanceof Fault && ["AccessDeniedException", "ResourceNotFoundException"].includes(error.name)
  );
}
