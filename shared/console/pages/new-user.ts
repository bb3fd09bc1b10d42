import { CreateUserProfile } from "../../contract/create-user-profile.ts";
import { Fault } from "../../model/fault.ts";
import { readPrincipal } from "../../model/principal.ts";
import { checkbox, choice, reasonField, reasonOf, textArea, textField, wrongs } from "../fields.ts";
import { html, name, sentence } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import type { Page, View, Visit } from "../page.ts";
import { IMPORT, NEW_USER, profilePath, USERS, usersTabs } from "./users.ts";

const MEMBERS = ["IamUserArn", "SshUsername", "SshPublicKey", "Reason"];

/** Adds somebody whom an import cannot: who is not in IAM. */
export const newUser: Page = {
  path: NEW_USER,
  async get(visit) {
    return show(visit, new URLSearchParams());
  },
  async post(visit) {
    const { form } = visit.request;
    const IamUserArn = arnIn(visit);
    const [SshUsername, SshPublicKey] = [textIn(form, "SshUsername"), textIn(form, "SshPublicKey")];
    try {
      const created = await visit.call(CreateUserProfile, {
        IamUserArn,
        ...(SshUsername === "" ? {} : { SshUsername }),
        ...(SshPublicKey === "" ? {} : { SshPublicKey }),
        AllowSelfManagement: form.get("AllowSelfManagement") === "yes",
        ...reasonOf(form),
      });
      return { location: `${NEW_USER}?${new URLSearchParams({ created: created.IamUserArn }).toString()}` };
    } catch (error) {
      const isTheirs =
        error instanceof Fault && ["ValidationException", "ConflictException"].includes(error.name);
      if (!isTheirs) throw error;
      return show(visit, form, error);
    }
  },
};

/** A name alone is of the kind that was chosen, in the visitor's own account. */
function arnIn({ request: { form }, session: { CallerArn } }: Visit): string {
  const who = textIn(form, "IamUserArn");
  if (who.startsWith("arn:")) return who;
  const [, partition = "aws"] = CallerArn.split(":");
  const kind = form.get("Kind") === "federated" ? "federated-user/" : PERSON;
  return `arn:${partition}:sts::${readPrincipal(CallerArn)?.accountId}:${kind}${who}`;
}

const PERSON = "assumed-role/aws-reserved/sso.amazonaws.com/";

function textIn(form: URLSearchParams, member: string): string {
  return (form.get(member) ?? "").trim();
}

function show(visit: Visit, form: URLSearchParams, fault?: Fault): View {
  const wrong = fault ? wrongs(fault, MEMBERS) : {};
  const created = readPrincipal(visit.request.query.get("created") ?? "");
  return {
    title: "New user",
    section: "users",
    ...(fault ? { status: fault.statusCode } : {}),
    body: html`${usersTabs(USERS)}
${
  created &&
  !fault &&
  html`<p class="note good" role="status"><a href="${profilePath(created.arn)}">${name(created.name)}</a> was added, with IAM Policies Only on every stack. A stack’s Permissions page gives them a level there.</p>`
}
<p class="sub">For people whom IAM does not list: of IAM Identity Center, or federated. They come by themselves, too, when they first sign in or open My Settings. <a href="${IMPORT}">Import</a> IAM users and roles instead: of somebody who was never imported no policy is known, so a Deny there would not count.</p>
${wrong.other !== undefined && html`<p class="note bad" role="alert">${sentence(wrong.other)}</p>`}
<form class="card" method="post" action="${NEW_USER}">${hiddenToken(visit)}
${choice("Kind", "Who they are", form.get("Kind") ?? "person", [
  { value: "person", label: "A person of IAM Identity Center" },
  { value: "federated", label: "A federated user" },
])}
${textField({
  name: "IamUserArn",
  label: "Name or ARN",
  value: form.get("IamUserArn") ?? "",
  hint: html`Their user name in Identity Center, as their session is called, or what <code>GetFederationToken</code> is asked for. An ARN may be of anybody.`,
  wrong: wrong.IamUserArn,
  maxLength: 640,
  isRequired: true,
})}
${textField({
  name: "SshUsername",
  label: "SSH user name (optional)",
  value: form.get("SshUsername") ?? "",
  hint: "Their account on servers: letters, digits, - and _. Made from their name when it is left empty.",
  wrong: wrong.SshUsername,
  maxLength: 256,
})}
${textArea({
  name: "SshPublicKey",
  label: "SSH public key (optional)",
  value: form.get("SshPublicKey") ?? "",
  hint: "One ed25519, ECDSA or RSA (2048 bits or more) public key.",
  wrong: wrong.SshPublicKey,
  maxLength: 16_384,
})}
${checkbox(
  {
    name: "AllowSelfManagement",
    label: "Self-management",
    hint: "They may see their own levels in My Settings, and change their SSH key.",
  },
  form.get("AllowSelfManagement") === "yes",
)}
${reasonField(form.get("Reason") ?? "", wrong.Reason)}
<p class="actions"><button class="first">Add user</button><a class="button" href="${USERS}">Cancel</a></p></form>`,
  };
}
