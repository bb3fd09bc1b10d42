import { DescribeUserProfiles } from "../../contract/describe-user-profiles.ts";
import { type Principal, readPrincipal } from "../../model/principal.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { type Content, html, type Html, name } from "../html.ts";
import { list, searchedFor, searchForm } from "../list.ts";
import type { Page } from "../page.ts";
import type { Profile } from "../read-profile.ts";
import { tabs } from "../tabs.ts";
import { whichMay } from "../which-may.ts";
import { kind, time, yesOrNo } from "../words.ts";

export const USERS = "/console/users";
export const NEW_USER = `${USERS}/new`;
export const IMPORT = `${USERS}/import`;
export const ORPHANS = `${USERS}/orphans`;

export function profilePath(arn: string): string {
  return `${USERS}/profile?${new URLSearchParams({ user: arn }).toString()}`;
}

export const HISTORY = `${USERS}/history`;
export const DELETE_USER = `${USERS}/delete`;

export function deletePath(arn: string): string {
  return `${DELETE_USER}?${new URLSearchParams({ user: arn }).toString()}`;
}

export function historyPath(arn: string): string {
  return `${HISTORY}?${new URLSearchParams({ user: arn }).toString()}`;
}

export function usersTabs(current: string): Html {
  return tabs("Users", { [USERS]: "Users", [IMPORT]: "Import", [ORPHANS]: "Gone from IAM" }, current);
}

/** Everybody who was imported or created here. */
export const users: Page = {
  path: USERS,
  async get(visit) {
    const {
      call,
      request: { query },
    } = visit;
    const search = searchedFor(visit);
    const isShown = SHOWN[query.get("show") ?? ""]?.isShown;
    const isWanted = (profile: Profile) =>
      (isShown === undefined || isShown(profile)) && (search === undefined || isFound(profile, search));
    const isFiltered = search !== undefined || isShown !== undefined;
    let asOf: string | undefined;
    const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
      const { UserProfiles, PoliciesAsOf, NextToken } = await call(DescribeUserProfiles, paging);
      asOf = PoliciesAsOf;
      return { rows: UserProfiles, NextToken };
    };
    const [{ rows, next }, may] = await Promise.all([
      findRows(fetch, positionOf(query), isFiltered ? isWanted : undefined),
      whichMay(visit, ["opsworks:CreateUserProfile", "stackwarden:ImportUsers"]),
    ]);
    const mayImport = may.has("stackwarden:ImportUsers");
    return {
      title: "Users",
      section: "users",
      body: html`${usersTabs(USERS)}
${query.get("done") === "deleted" && html`<p class="note good" role="status">The user was deleted. What they were given counts for nobody any more.</p>`}
<p class="sub">Who was imported or created here${asOf !== undefined && html`. Their policies are as IAM had them at ${time(new Date(asOf))}`}.</p>
<div class="head">${searchForm(visit, "Search by name, ARN or SSH user name", {
        name: "show",
        label: "Show",
        options: Object.fromEntries(Object.entries(SHOWN).map(([value, { label }]) => [value, label])),
      })}
<p class="actions">${mayImport && html`<a class="button" href="${IMPORT}">Import users</a>`}${may.has("opsworks:CreateUserProfile") && html`<a class="button" href="${NEW_USER}">New user</a>`}</p></div>
${list(visit, {
  caption: isFiltered ? "Users who match" : "Users and their profiles",
  columns: ["User", "Kind", "SSH user name", "SSH key", "Self-management"],
  rows: rows.map((profile) => [
    html`<a class="who" href="${profilePath(profile.IamUserArn)}">${name(profile.Name)}</a><span class="arn">${name(profile.IamUserArn)}</span>${gone(profile)}`,
    kind(profile.IamUserArn),
    sshUsername(profile),
    yesOrNo(profile.SshPublicKey !== undefined, "SSH key"),
    yesOrNo(profile.AllowSelfManagement, "self-management"),
  ]),
  next,
  empty: isFiltered
    ? html`Nobody matches${next && html` among those who were looked at; go on with the next page`}. <a href="${USERS}">Show everybody</a>`
    : html`<p>Nobody was imported or created yet.</p>${mayImport ? html`<p><a class="button first" href="${IMPORT}">Import users from IAM</a></p>` : html`<p>Whoever has a policy that allows <code>stackwarden:ImportUsers</code> imports them from IAM.</p>`}`,
})}`,
    };
  },
};

export function sshUsername({ SshUsername }: { readonly SshUsername?: string | undefined }): Content {
  return SshUsername === undefined ? html`<span class="no">none</span>` : html`<code>${SshUsername}</code>`;
}

function gone({ GoneSince }: Profile): Content {
  return (
    GoneSince !== undefined &&
    html`<span class="gone">gone from IAM since ${time(new Date(GoneSince))}</span>`
  );
}

/** What of the list is shown, by what the address says. */
const SHOWN: Readonly<
  Record<string, { readonly label: string; readonly isShown?: (profile: Profile) => boolean }>
> = {
  "": { label: "Everybody" },
  user: { label: "IAM users", isShown: ofKind("user") },
  role: { label: "Roles", isShown: ofKind("role") },
  federated: { label: "Federated users", isShown: ofKind("federated") },
  person: { label: "People of Identity Center", isShown: ofKind("person") },
  "no-key": { label: "Who has no SSH key", isShown: ({ SshPublicKey }) => SshPublicKey === undefined },
  gone: { label: "Who is gone from IAM", isShown: ({ GoneSince }) => GoneSince !== undefined },
};

function ofKind(wanted: Principal["kind"]): (profile: Profile) => boolean {
  return ({ IamUserArn }) => readPrincipal(IamUserArn)?.kind === wanted;
}

function isFound({ Name, IamUserArn, SshUsername = "" }: Profile, search: string): boolean {
  return `${Name}\n${IamUserArn}\n${SshUsername}`.toLowerCase().includes(search);
}
