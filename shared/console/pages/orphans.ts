import type * as z from "zod";
import { DescribeOrphans } from "../../contract/describe-orphans.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, type Html, name } from "../html.ts";
import { list } from "../list.ts";
import { namesOfStacks, stackLink } from "../names-of-stacks.ts";
import type { Page } from "../page.ts";
import { whichMay } from "../which-may.ts";
import { permission as shown, time } from "../words.ts";
import { deletePath, IMPORT, ORPHANS, profilePath, sshUsername, usersTabs } from "./users.ts";

type Orphan = z.output<typeof DescribeOrphans.output>["Orphans"][number];

/** More of them are folded. */
const SHOWN_AT_ONCE = 3;

/** Who is gone from IAM and still holds something. */
export const orphans: Page = {
  path: ORPHANS,
  async get(visit) {
    const { call, request } = visit;
    const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
      const { Orphans, NextToken } = await call(DescribeOrphans, paging);
      return { rows: Orphans, NextToken };
    };
    // Few are gone among many, so they are looked for like what is searched.
    const [{ rows, next }, may] = await Promise.all([
      findRows(fetch, positionOf(request.query), () => true),
      whichMay(visit, ["opsworks:DeleteUserProfile"]),
    ]);
    const names = await namesOfStacks(
      visit,
      rows.flatMap(({ Permissions }) => Permissions.map(({ StackId }) => StackId)),
    );
    const mayDelete = may.has("opsworks:DeleteUserProfile");
    return {
      title: "Gone from IAM",
      section: "users",
      body: html`${usersTabs(ORPHANS)}
<p class="sub">Whom IAM no longer has, as far as an import saw, and who still holds a level or instance access here. Their SSH key still works where they have SSH/RDP: it ends when they are deleted here.</p>
${list(visit, {
  caption: "Who is gone and still holds something",
  columns: ["User", "Gone since", "SSH user name", "Holds", ...(mayDelete ? ["Delete"] : [])],
  rows: rows.map((orphan) => [
    html`<a class="who" href="${profilePath(orphan.IamUserArn)}">${name(orphan.Name)}</a><span class="arn">${name(orphan.IamUserArn)}</span>`,
    time(new Date(orphan.GoneSince)),
    sshUsername(orphan),
    held(orphan, names),
    ...(mayDelete
      ? [
          html`<a class="button danger" href="${deletePath(orphan.IamUserArn)}"><span>Delete<span class="unseen"> ${name(orphan.Name)}</span> …</span></a>`,
        ]
      : []),
  ]),
  next,
  empty: next
    ? "None among those who were looked at; go on with the next page."
    : html`<p>Nobody who is gone from IAM holds anything here.</p><p>As of the last <a href="${IMPORT}">import</a>, which is what notices who is gone.</p>`,
})}`,
    };
  },
};

function held({ Permissions }: Orphan, names: ReadonlyMap<string, string>): Html {
  const all = html`<ul class="plain">${Permissions.map((permission) => html`<li>${stackLink(permission.StackId, names)}: ${shown(permission)}</li>`)}</ul>`;
  if (Permissions.length <= SHOWN_AT_ONCE) return all;
  return html`<details><summary>on ${Permissions.length} stacks</summary>${all}</details>`;
}
