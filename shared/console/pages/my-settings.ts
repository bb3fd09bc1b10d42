import type * as z from "zod";
import { DescribeMyUserProfile } from "../../contract/describe-my-user-profile.ts";
import { UpdateMyUserProfile } from "../../contract/update-my-user-profile.ts";
import { Fault } from "../../model/fault.ts";
import { readPrincipal } from "../../model/principal.ts";
import { findRows, positionOf } from "../find-rows.ts";
import { html, type Html, name } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import { list, searchedFor, searchForm } from "../list.ts";
import type { Page, View, Visit } from "../page.ts";
import { evaluationsOf } from "../which-may.ts";
import { level, levelThatCounts, yesOrNo } from "../words.ts";

const PATH = "/console/my-settings";
type Profile = z.output<typeof DescribeMyUserProfile.output>;
/** What somebody holds on a stack. */
export type OwnPermission = Profile["Permissions"][number];

/** The visitor's own profile, SSH key and level on every stack. Both actions must be allowed, by policy or by self-management. */
export const mySettings: Page = {
  path: PATH,
  async get(visit) {
    return (await whyNot(visit)) ?? show(visit);
  },
  async post(visit) {
    const refused = await whyNot(visit);
    if (refused) return refused;
    const { form } = visit.request;
    const SshPublicKey = (form.get("SshPublicKey") ?? "").trim();
    try {
      await visit.call(UpdateMyUserProfile, { SshPublicKey, IfVersion: form.get("Version") || undefined });
    } catch (error) {
      if (!(error instanceof Fault) || !(error.name in SAID_HERE)) throw error;
      return show(visit, { SshPublicKey, wrong: SAID_HERE[error.name] ?? error.message });
    }
    return { location: `${PATH}?saved=key` };
  },
};

/** What is said beside the key; without words of its own, what the operation says. */
const SAID_HERE: Readonly<Record<string, string | undefined>> = {
  ValidationException: undefined,
  ConflictException:
    "Your profile was changed meanwhile, so nothing was saved. This is what you filled in: save it again to put it in place of the key that is there now.",
};

const NO_PROFILE: View = {
  status: 404,
  title: "My Settings",
  section: "my-settings",
  body: html`<p>The account root has no profile: it is beyond levels and policies, and no server lets it in.</p>`,
};

const ACTIONS = ["opsworks:DescribeMyUserProfile", "opsworks:UpdateMyUserProfile"];

/**
 * "Users can also access My Settings if their attached policy grants permissions for the DescribeMyUserProfile and UpdateMyUserProfile
 * actions."
 *
 * Source: OpsWorks User Guide, "Viewing your Permissions".
 */
async function whyNot(visit: Visit): Promise<View | undefined> {
  if (readPrincipal(visit.session.CallerArn)?.kind === "root") return NO_PROFILE;
  const evaluations = await evaluationsOf(visit, ACTIONS);
  const refused = ACTIONS.flatMap((action, index) => {
    const evaluation = evaluations[index];
    const { reason, error } = evaluation?.context ?? {};
    return evaluation?.decision
      ? []
      : [html`<li><code>${action}</code>: ${reason ?? error?.message ?? "no answer"}</li>`];
  });
  if (refused.length === 0) return undefined;
  return {
    status: 403,
    title: "My Settings",
    section: "my-settings",
    body: html`<p>My Settings takes self-management, or a policy that grants both <code>${ACTIONS[0]}</code> and <code>${ACTIONS[1]}</code>. You lack</p>
<ul>${refused}</ul>
<p>An administrator turns self-management on for you, or attaches such a policy.</p>`,
  };
}

async function show(
  visit: Visit,
  attempt?: { readonly SshPublicKey: string; readonly wrong: string },
): Promise<View> {
  const { call, request } = visit;
  const search = searchedFor(visit);
  let profile: Profile["UserProfile"] | undefined;
  const fetch = async (paging: { MaxResults: number; NextToken?: string }) => {
    const { UserProfile, Permissions, NextToken } = await call(DescribeMyUserProfile, paging);
    profile = UserProfile;
    return { rows: Permissions, NextToken };
  };
  const isWanted = search && (({ StackName }: OwnPermission) => StackName.toLowerCase().includes(search));
  const { rows, next } = await findRows(fetch, positionOf(request.query), isWanted || undefined);
  const { Name = "", IamUserArn = "", SshUsername, SshPublicKey = "", Version = "" } = profile ?? {};
  return {
    title: "My Settings",
    section: "my-settings",
    ...(attempt ? { status: 400 } : {}),
    body: html`${request.query.get("saved") === "key" && !attempt && html`<p class="note good" role="status">Your SSH key was saved. Servers take it from now on, and no other.</p>`}
<div class="card"><dl>
<dt>Name</dt><dd>${name(Name)}</dd>
<dt>ARN</dt><dd><span class="key">${name(IamUserArn)}</span></dd>
<dt>SSH user name</dt><dd>${SshUsername === undefined ? "none" : html`<code>${SshUsername}</code>`}</dd>
</dl></div>
<h2 id="key">Your SSH key</h2>
${keyForm(visit, attempt?.SshPublicKey ?? SshPublicKey, Version, attempt?.wrong)}
<h2>Your permissions</h2>
${searchForm(visit, "Search stacks by name")}
${list(visit, {
  caption: "Your level and instance access on every stack",
  columns: ["Stack", "Level that counts", "Your own level", "SSH/RDP", "sudo/admin"],
  rows: rows.map((own) => [
    name(own.StackName),
    levelThatCounts(own),
    level(own.Level),
    yesOrNo(own.AllowSsh, "SSH/RDP"),
    yesOrNo(own.AllowSudo, "sudo/admin"),
  ]),
  next,
  empty:
    search === undefined
      ? "There is no stack yet."
      : html`No stack is called like that. <a href="${PATH}">Show all</a>`,
})}
<p class="hint">IAM policies count beside the level: with “IAM Policies Only” they alone decide. A Deny in either wins.</p>`,
  };
}

function keyForm(visit: Visit, key: string, version: string, wrong: string | undefined): Html {
  return html`<form class="card" method="post" action="${PATH}#key">${hiddenToken(visit)}<input type="hidden" name="Version" value="${version}">
<label for="SshPublicKey">SSH public key</label>
<textarea id="SshPublicKey" name="SshPublicKey" spellcheck="false" autocomplete="off" maxlength="16384" aria-describedby="key-hint${wrong !== undefined && " key-wrong"}"${wrong !== undefined && html` aria-invalid="true"`}>
${key}</textarea>
${wrong !== undefined && html`<p class="wrong" id="key-wrong" role="alert">${wrong}</p>`}
<p class="hint" id="key-hint">One ed25519, ECDSA or RSA (2048 bits or more) public key. Leave it empty to take the key away.</p>
<p class="actions"><button class="first">Save</button></p></form>`;
}
