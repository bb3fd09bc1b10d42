import type { Permission } from "../model/grant.ts";
import { Level } from "../model/level.ts";
import { type Principal, readPrincipal } from "../model/principal.ts";
import { type Content, html, type Html, name } from "./html.ts";

/** As the guide calls them. Source: OpsWorks User Guide, "Granting AWS OpsWorks Stacks Users Per-Stack Permissions". */
const LEVEL_NAMES: Readonly<Record<Level, string>> = {
  deny: "Deny",
  iam_only: "IAM Policies Only",
  show: "Show",
  deploy: "Deploy",
  manage: "Manage",
};

export function level(of: Level): Html {
  return html`<span class="level ${of}">${LEVEL_NAMES[of]}</span>`;
}

/** The level that counts, and where it comes from when that is not their own. */
export function levelThatCounts({
  Level,
  EffectiveLevel = Level,
  LevelFrom,
}: {
  readonly Level: Level;
  readonly EffectiveLevel?: Level | undefined;
  readonly LevelFrom?: string | undefined;
}): Html {
  return html`${level(EffectiveLevel)}${LevelFrom !== undefined && html`<span class="from">from ${source(LevelFrom)}</span>`}`;
}

/** What somebody holds on a stack, on one line. */
export function permission({ Level, AllowSsh, AllowSudo }: Permission): Html {
  return html`${level(Level)}${AllowSsh && ", SSH/RDP"}${AllowSudo && ", sudo/admin"}`;
}

/** All five, to choose from. */
export function levelOptions(chosen: Level): Html[] {
  return Level.options.map(
    (one) => html`<option value="${one}"${one === chosen && html` selected`}>${LEVEL_NAMES[one]}</option>`,
  );
}

export function yesOrNo(isSo: boolean, what: string): Html {
  return isSo
    ? html`<span class="yes" title="${what}">✓<span class="unseen"> ${what}</span></span>`
    : html`<span class="no" title="no ${what}">–<span class="unseen"> no ${what}</span></span>`;
}

/** Where a level that counts comes from: `group/<name>`, `role/<name>` or `person/<name>`. */
export function source(levelFrom: string): Html {
  const [, kind = "", of = levelFrom] = /^(\w+)\/(.*)$/s.exec(levelFrom) ?? [];
  return html`${kind} ${name(of)}`;
}

/** Somebody, by their name, and below by their ARN. @param href a page about them */
export function person(arn: string, href?: string): Html {
  const principal = readPrincipal(arn);
  const kind: Content =
    principal && principal.kind !== "user" && html` <span class="tag">${principal.kind}</span>`;
  const called = name(calledOf(arn));
  return html`<span class="who">${href === undefined ? called : html`<a href="${href}">${called}</a>`}${kind}</span><span class="arn">${name(arn)}</span>`;
}

/** The name of somebody, without where it is. */
export function calledOf(arn: string): string {
  const principal = readPrincipal(arn);
  const session = principal?.sessionName;
  return (session === undefined ? principal?.name : `${principal?.name}/${session}`) ?? arn;
}

const KINDS: Readonly<Record<Principal["kind"], string>> = {
  root: "account root",
  user: "IAM user",
  federated: "Federated user",
  role: "Role",
  session: "Session of a role",
  person: "Person of Identity Center",
};

export function kind(arn: string): string {
  return KINDS[readPrincipal(arn)?.kind ?? "user"];
}

/** A moment in UTC; the script shows it in the reader's zone. */
export function time(at: Date): Html {
  return html`<time datetime="${at.toISOString()}">${utc(at, "2026-03-01T09:00".length)}</time>`;
}

/** The same with its second, where one moment is to be told from the next. */
export function exactTime(at: Date): Html {
  return html`<time datetime="${at.toISOString()}" data-exact>${utc(at, "2026-03-01T09:00:00".length)}</time>`;
}

function utc(at: Date, length: number): string {
  return `${at.toISOString().slice(0, length).replace("T", " ")} UTC`;
}
