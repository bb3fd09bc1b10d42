import { UpdateUserProfile } from "../../contract/update-user-profile.ts";
import { Fault } from "../../model/fault.ts";
import { readPrincipal } from "../../model/principal.ts";
import { checkbox, reasonField, reasonOf, textArea, textField, wrongs } from "../fields.ts";
import { type Content, html, type Html, name } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import type { Page, Redirect, View, Visit } from "../page.ts";
import { type Profile, readProfile, userOf } from "../read-profile.ts";
import { whichMay } from "../which-may.ts";
import { kind, time, yesOrNo } from "../words.ts";
import { deletePath, historyPath, profilePath, sshUsername, USERS, usersTabs } from "./users.ts";
import { userLevelsPath } from "./user-levels.ts";

/** What of a profile is changed here, as a form has it: self-management is `yes` or nothing. */
const MEMBERS = ["SshUsername", "SshPublicKey", "AllowSelfManagement"] as const;
type Member = (typeof MEMBERS)[number];
type Settings = Readonly<Record<Member, string>>;

/** A form that was not saved: what was in it, why, and what somebody else changed meanwhile. */
type Attempt = {
  readonly status: number;
  readonly filledIn: Settings;
  readonly reason: string;
  readonly wrong: Readonly<Record<string, string | undefined>>;
  readonly changedMeanwhile?: ReadonlySet<Member>;
};

/** Somebody's profile, and a form to change it for who may. */
export const profile: Page = {
  path: `${USERS}/profile`,
  async get(visit) {
    return show(visit, await readProfile(visit));
  },
  async post(visit) {
    const { form } = visit.request;
    const IamUserArn = userOf(visit);
    const [filledIn, read] = [settingsIn(form, ""), settingsIn(form, "read-")];
    const changed = MEMBERS.filter((member) => filledIn[member] !== read[member]);
    const done = (what: string): Redirect => ({
      location: `${profilePath(IamUserArn)}&done=${what}`,
    });
    if (changed.length === 0) return done("nothing");
    const IfVersion = form.get("Version") ?? "";
    try {
      const change = Object.fromEntries(changed.map((member) => [member, valueOf(filledIn, member)]));
      await visit.call(UpdateUserProfile, { IamUserArn, ...change, IfVersion, ...reasonOf(form) });
      return done("saved");
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const attempt = { status: error.statusCode, filledIn, reason: form.get("Reason") ?? "" };
      if (error.name === "ValidationException")
        return show(visit, await readProfile(visit), { ...attempt, wrong: wrongs(error, MEMBERS) });
      if (error.name !== "ConflictException") throw error;
      const now = await readProfile(visit);
      return show(
        visit,
        now,
        now.Version === IfVersion
          ? { ...attempt, wrong: wrongs(error, MEMBERS) }
          : { ...attempt, ...mergeWith(now, read, filledIn), wrong: {} },
      );
    }
  },
};

function settingsIn(form: URLSearchParams, prefix: string): Settings {
  const text = (member: Member) => (form.get(`${prefix}${member}`) ?? "").trim();
  return {
    SshUsername: text("SshUsername"),
    SshPublicKey: text("SshPublicKey"),
    AllowSelfManagement: text("AllowSelfManagement"),
  };
}

function settingsOf({ SshUsername = "", SshPublicKey = "", AllowSelfManagement }: Profile): Settings {
  return { SshUsername, SshPublicKey, AllowSelfManagement: AllowSelfManagement ? "yes" : "" };
}

function valueOf(settings: Settings, member: Member): string | boolean {
  return member === "AllowSelfManagement" ? settings[member] === "yes" : settings[member];
}

/** What the visitor changed stays as they filled it in; the rest is as it is now. Nothing is saved before they say so again. */
function mergeWith(now: Profile, read: Settings, filledIn: Settings) {
  const current = settingsOf(now);
  const merged = (member: Member) => (filledIn[member] === read[member] ? current[member] : filledIn[member]);
  return {
    filledIn: {
      SshUsername: merged("SshUsername"),
      SshPublicKey: merged("SshPublicKey"),
      AllowSelfManagement: merged("AllowSelfManagement"),
    },
    changedMeanwhile: new Set(MEMBERS.filter((member) => current[member] !== read[member])),
  };
}

async function show(visit: Visit, profile: Profile, attempt?: Attempt): Promise<View> {
  const { query } = visit.request;
  const { IamUserArn, Name, GoneSince } = profile;
  const may = await whichMay(visit, [
    "opsworks:UpdateUserProfile",
    "opsworks:DeleteUserProfile",
    "opsworks:DescribePermissions",
    "stackwarden:DescribeEvents",
  ]);
  return {
    title: Name,
    section: "users",
    ...(attempt ? { status: attempt.status } : {}),
    body: html`${usersTabs(USERS)}
${!attempt && doneOf(query.get("done") ?? "")}
${
  GoneSince !== undefined &&
  html`<p class="note bad">IAM has no such user or role any more, since ${time(new Date(GoneSince))}. Their policies and groups count no more; their own levels and SSH access do, until they are deleted here.</p>`
}
<div class="card"><dl>
<dt>Kind</dt><dd>${kind(IamUserArn)}</dd>
<dt>ARN</dt><dd><span class="key">${name(IamUserArn)}</span></dd>
${!may.has("opsworks:UpdateUserProfile") && readOnly(profile)}
</dl></div>
${(may.has("opsworks:DescribePermissions") || may.has("stackwarden:DescribeEvents")) && html`<p class="actions">${may.has("opsworks:DescribePermissions") && html`<a class="button" href="${userLevelsPath(IamUserArn)}">Their permissions on every stack</a>`} ${may.has("stackwarden:DescribeEvents") && html`<a class="button" href="${historyPath(IamUserArn)}">History</a>`}</p>`}
${may.has("opsworks:UpdateUserProfile") && html`<h2>Edit</h2>${editForm(visit, profile, attempt)}`}
${
  may.has("opsworks:DeleteUserProfile") &&
  !isVisitor(visit, IamUserArn) &&
  html`<h2>Delete</h2><p>Ends what they were given here, on every stack. The next page says what exactly.</p>
<p class="actions"><a class="button danger" href="${deletePath(IamUserArn)}"><span>Delete ${name(Name)} …</span></a></p>`
}`,
  };
}

const DONE: Readonly<Record<string, Html>> = {
  saved: html`<p class="note good" role="status">The profile was saved. Servers follow within a minute, and take a new key at the next login.</p>`,
  nothing: html`<p class="note" role="status">Nothing was changed, since nothing was filled in differently.</p>`,
};

function doneOf(what: string): Html | undefined {
  return Object.hasOwn(DONE, what) ? DONE[what] : undefined;
}

function readOnly(profile: Profile): Html {
  const { SshPublicKey, AllowSelfManagement } = profile;
  return html`<dt>SSH user name</dt><dd>${sshUsername(profile)}</dd>
<dt>SSH key</dt><dd>${SshPublicKey === undefined ? "none" : html`<span class="key">${name(SshPublicKey)}</span>`}</dd>
<dt>Self-management</dt><dd>${yesOrNo(AllowSelfManagement, "self-management")}</dd>`;
}

function isVisitor({ session: { CallerArn } }: Visit, userArn: string): boolean {
  const principal = readPrincipal(CallerArn);
  return [principal?.userArn, principal?.personArn].includes(userArn);
}

function editForm(visit: Visit, profile: Profile, attempt: Attempt | undefined): Html {
  const current = settingsOf(profile);
  const { filledIn, reason, wrong, changedMeanwhile }: Omit<Attempt, "status"> = attempt ?? {
    filledIn: current,
    reason: "",
    wrong: {},
  };
  const note = (member: Member, show: (value: string) => Content) =>
    changedMeanwhile?.has(member) &&
    html`<p class="meanwhile">Somebody else made it ${show(current[member])}</p>`;
  const text = (value: string) => (value === "" ? "empty" : html`<code>${name(value)}</code>`);
  return html`${
    changedMeanwhile &&
    html`<div class="note bad" role="alert"><p>Somebody else changed this profile while you did. Nothing of yours was saved.</p><p>Below is what you changed, and everything else as it is now. Look at it, and save again.</p></div>`
  }${wrong.other !== undefined && html`<p class="note bad" role="alert">${wrong.other}</p>`}
<form class="card" method="post" action="${profilePath(profile.IamUserArn)}">${hiddenToken(visit)}<input type="hidden" name="Version" value="${profile.Version}">
${MEMBERS.map((member) => html`<input type="hidden" name="read-${member}" value="${current[member]}">`)}
${textField({
  name: "SshUsername",
  label: "SSH user name",
  value: filledIn.SshUsername,
  hint: "Their account on servers: letters, digits, - and _; other characters are removed.",
  wrong: wrong.SshUsername,
  note: note("SshUsername", text),
  maxLength: 256,
  isRequired: current.SshUsername !== "",
})}
${textArea({
  name: "SshPublicKey",
  label: "SSH public key",
  value: filledIn.SshPublicKey,
  hint: "One ed25519, ECDSA or RSA (2048 bits or more) public key. Leave it empty to take the key away.",
  wrong: wrong.SshPublicKey,
  note: note("SshPublicKey", text),
  maxLength: 16_384,
})}
${checkbox(
  {
    name: "AllowSelfManagement",
    label: "Self-management",
    hint: "They may see their own levels in My Settings, and change their SSH key.",
    note: note("AllowSelfManagement", (value) => (value === "yes" ? "on" : "off")),
  },
  filledIn.AllowSelfManagement === "yes",
)}
${reasonField(reason, wrong.Reason)}
<p class="actions"><button class="first">Save</button><a class="button" href="${profilePath(profile.IamUserArn)}">Cancel</a></p></form>`;
}
