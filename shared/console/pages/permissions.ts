import type * as z from "zod";
import { DescribePermissions } from "../../contract/describe-permissions.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { Fault } from "../../model/fault.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, name } from "../html.ts";
import { list, searchedFor, searchForm, table } from "../list.ts";
import type { Page, Visit } from "../page.ts";
import { stackTabs } from "../stack-tabs.ts";
import { level, person, source, yesOrNo } from "../words.ts";

type Answer = z.output<typeof DescribePermissions.output>;
type Row = Answer["Permissions"][number];

/** Who may do what on a stack. */
export const permissions: Page = {
  path: "/console/stacks/:StackId/permissions",
  async get(visit) {
    const {
      params: { StackId = "" },
      request: { query, path },
      call,
    } = visit;
    const search = searchedFor(visit);
    const onlyHolders = query.get("show") === "holders";
    let groups: Answer["GroupPermissions"];
    const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
      const answer = await call(DescribePermissions, { StackId, ...paging });
      groups = answer.GroupPermissions;
      return { rows: answer.Permissions, NextToken: answer.NextToken };
    };
    const isWanted = (row: Row) =>
      (!onlyHolders || holdsSomething(row)) &&
      (search === undefined || row.IamUserArn.toLowerCase().includes(search));
    const isFiltered = search !== undefined || onlyHolders;
    const [{ rows, next }, stackName] = await Promise.all([
      findRows(fetch, positionOf(query), isFiltered ? isWanted : undefined),
      nameOfStack(visit, StackId),
    ]);
    return {
      title: `Permissions of ${stackName ?? StackId}`,
      section: "stacks",
      body: html`${stackTabs(StackId, "/permissions")}
<p class="sub">Stack <code>${StackId}</code></p>
<h2>Users</h2>
${searchForm(visit, "Search by name or ARN", {
  name: "show",
  label: "Show",
  options: { "": "Everybody", holders: "Who has a level or instance access" },
})}
${list(visit, {
  caption: isFiltered
    ? "Users who match, with their level and instance access on this stack"
    : "Users, with their level and instance access on this stack",
  columns: ["User", "Level", "Level that counts", "SSH/RDP", "sudo/admin"],
  rows: rows.map((row) => [
    person(row.IamUserArn),
    level(row.Level),
    row.EffectiveLevel !== undefined && row.LevelFrom !== undefined
      ? html`${level(row.EffectiveLevel)}<span class="from">from ${source(row.LevelFrom)}</span>`
      : html`<span class="from">their own</span>`,
    yesOrNo(row.AllowSsh, "SSH/RDP"),
    yesOrNo(row.AllowSudo, "sudo/admin"),
  ]),
  next,
  empty: isFiltered
    ? html`Nobody matches. <a href="${path}">Show everybody</a>`
    : html`<p>There are no users yet.</p><p>Import them from IAM with the operation ImportUsers.</p>`,
})}
<h2>IAM groups</h2>
${
  groups === undefined || groups.length === 0
    ? html`<div class="empty">No group has a level on this stack. A group’s level counts for all its members.</div>`
    : table(
        "Groups, with the level that their members have on this stack",
        ["Group", "Level"],
        groups.map(({ GroupName, Level }) => [name(GroupName), level(Level)]),
      )
}
<p class="hint">IAM policies count beside the level: with “IAM Policies Only” they alone decide. A Deny in either wins.</p>`,
    };
  },
};

function holdsSomething({ Level, EffectiveLevel = Level, AllowSsh, AllowSudo }: Row): boolean {
  return AllowSsh || AllowSudo || Level !== "iam_only" || EffectiveLevel !== "iam_only";
}

/** The name is for who may describe the stack; whoever may only see its permissions reads its id. */
async function nameOfStack({ call }: Visit, StackId: string): Promise<string | undefined> {
  try {
    const { Stacks } = await call(DescribeStacks, { StackIds: [StackId] });
    return Stacks[0]?.Name;
  } catch (error) {
    if (error instanceof Fault && error.statusCode < 500) return undefined;
    throw error;
  }
}
