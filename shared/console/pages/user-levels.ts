import { DescribePermissions } from "../../contract/describe-permissions.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, type Html, name } from "../html.ts";
import { list } from "../list.ts";
import { namesOfStacks, stackPath } from "../names-of-stacks.ts";
import type { Page } from "../page.ts";
import { userOf } from "../read-profile.ts";
import { calledOf, level, levelThatCounts, yesOrNo } from "../words.ts";
import { explainPath } from "./explain.ts";

const PATH = "/console/users/permissions";

export function userLevelsPath(arn: string): string {
  return `${PATH}?${new URLSearchParams({ user: arn }).toString()}`;
}

/** What one user holds on every stack, and where it comes from. */
export const userLevels: Page = {
  path: PATH,
  async get(visit) {
    const { call, request } = visit;
    const IamUserArn = userOf(visit);
    const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
      const { Permissions, NextToken } = await call(DescribePermissions, { IamUserArn, ...paging });
      return { rows: Permissions, NextToken };
    };
    const { rows, next } = await findRows(fetch, positionOf(request.query));
    const names = await namesOfStacks(
      visit,
      rows.map(({ StackId }) => StackId),
    );
    return {
      title: calledOf(IamUserArn),
      section: "users",
      body: html`<p class="sub"><span class="key">${name(IamUserArn)}</span></p>
${list(visit, {
  caption: "Their level and instance access on every stack",
  columns: ["Stack", "Level", "Level that counts", "SSH/RDP", "sudo/admin", "Why"],
  rows: rows.map(({ StackId, ...row }) => [
    stackName(StackId, names.get(StackId)),
    level(row.Level),
    html`${levelThatCounts(row)}${row.LevelFrom === undefined && html`<span class="from">their own</span>`}`,
    yesOrNo(row.AllowSsh, "SSH/RDP"),
    yesOrNo(row.AllowSudo, "sudo/admin"),
    html`<a href="${explainPath({ user: IamUserArn, stack: StackId })}">Explain<span class="unseen"> what they may do on ${names.get(StackId) ?? StackId}</span></a>`,
  ]),
  next,
  empty: "There is no stack yet.",
})}
<p class="hint">IAM policies count beside the level: with “IAM Policies Only” they alone decide. A Deny in either wins.</p>`,
    };
  },
};

function stackName(StackId: string, called: string | undefined): Html {
  return html`<a href="${stackPath(StackId)}/permissions">${name(called ?? StackId)}</a><span class="arn">${StackId}</span>`;
}
