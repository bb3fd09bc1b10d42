import { catalogue } from "../../access/catalogue.ts";
import { CheckAuthorization, type Evaluation } from "../../contract/check-authorization.ts";
import { DescribeMyUserProfile } from "../../contract/describe-my-user-profile.ts";
import { DescribeStacks } from "../../contract/describe-stacks.ts";
import { DescribeUserProfiles } from "../../contract/describe-user-profiles.ts";
import { Fault } from "../../model/fault.ts";
import { Level } from "../../model/level.ts";
import { readPrincipal } from "../../model/principal.ts";
import { wrongs } from "../fields.ts";
import { type Content, html, type Html, name, sentence } from "../html.ts";
import { table } from "../list.ts";
import type { Page, Visit } from "../page.ts";
import { part } from "../part.ts";
import { applied, RULES } from "../rules.ts";
import { level, source, time } from "../words.ts";

const PATH = "/console/explain";

export function explainPath(asked: Readonly<Record<string, string>>): string {
  return `${PATH}?${new URLSearchParams(asked).toString()}`;
}

type Asked = { readonly user: string; readonly action: string; readonly stack: string };

/** Whether somebody may do something on a stack, and by which rule. */
export const explain: Page = {
  path: PATH,
  async get(visit) {
    const { request, session } = visit;
    const of = (member: string) => request.query.get(member)?.trim() ?? "";
    const asked = { user: of("user") || session.CallerArn, action: of("action"), stack: of("stack") };
    const [answer, stacks, users] = await Promise.all([
      asked.action === "" ? undefined : ask(visit, asked),
      stacksToChoose(visit),
      usersToChoose(visit),
    ]);
    const wrong = answer instanceof Fault ? wrongFields(answer) : {};
    return {
      title: "Explain",
      section: "explain",
      ...(answer instanceof Fault ? { status: answer.statusCode } : {}),
      body: html`<p class="sub">Whether somebody may do something, by their level and their IAM policies together, and why.</p>
${wrong.other !== undefined && html`<p class="note bad" role="alert">${sentence(wrong.other)}</p>`}
${questionForm(asked, wrong, stacks, users)}
${answer && !(answer instanceof Fault) && showAnswer(answer)}`,
    };
  },
};

/** What is refused or mistyped is said beside the question. */
async function ask({ call, session }: Visit, { user, action, stack }: Asked): Promise<Evaluation | Fault> {
  const account = readPrincipal(session.CallerArn)?.accountId ?? "";
  try {
    return await call(CheckAuthorization, {
      subject: { type: "user", id: user },
      action: { name: action.includes(":") ? action : `opsworks:${action}` },
      resource: stack === "" ? { type: "account", id: account } : { type: "stack", id: stack },
    });
  } catch (error) {
    if (error instanceof Fault && error.statusCode < 500) return error;
    throw error;
  }
}

/** The fields by what the question calls them, which is not what the form does. */
const FIELDS = { "subject.id": "User", "action.name": "Action", "resource.id": "Stack id" };

type Wrong = Readonly<Record<string, string | undefined>>;

/** What is wrong, by the label of the field; under `other`, what is about none. */
function wrongFields(fault: Fault): Wrong {
  if (fault.name !== "ValidationException") return { other: fault.message };
  const said = wrongs(fault, Object.keys(FIELDS));
  return Object.fromEntries(
    Object.entries({ ...FIELDS, other: "other" }).map(([member, label]) => [
      label,
      said[member]?.replaceAll(`\`${member}\``, label),
    ]),
  );
}

const MOST_TO_CHOOSE = 100;

type Choice = { readonly value: string; readonly label: string };

/** Whoever may not list them types the id. */
async function stacksToChoose({ call }: Visit): Promise<readonly Choice[]> {
  const own = await part(call(DescribeMyUserProfile, { MaxResults: MOST_TO_CHOOSE }));
  if (!own.refusal)
    return own.answer.Permissions.map(({ StackId, StackName }) => ({ value: StackId, label: StackName }));
  // Somebody without a profile, such as an administrator.
  const all = await part(call(DescribeStacks, { MaxResults: MOST_TO_CHOOSE }));
  return all.refusal ? [] : all.answer.Stacks.map(({ StackId, Name }) => ({ value: StackId, label: Name }));
}

async function usersToChoose({ call }: Visit): Promise<readonly Choice[]> {
  const asked = await part(call(DescribeUserProfiles, { MaxResults: MOST_TO_CHOOSE }));
  if (asked.refusal) return [];
  return asked.answer.UserProfiles.map(({ IamUserArn, Name }) => ({ value: IamUserArn, label: Name }));
}

function choices(id: string, all: readonly Choice[]): Html {
  return html`<datalist id="${id}">${all.map(({ value, label }) => html`<option value="${value}">${label}</option>`)}</datalist>`;
}

function questionForm(
  { user, action, stack }: Asked,
  wrong: Wrong,
  stacks: readonly Choice[],
  users: readonly Choice[],
): Html {
  const field = (label: string, id: string, value: string, rest: Content) => {
    const said = wrong[label];
    return html`<label for="${id}">${label}</label><input type="text" id="${id}" name="${id}" value="${value}" autocomplete="off" spellcheck="false" list="${id}s" aria-describedby="${id}-hint${said !== undefined && ` ${id}-wrong`}"${said !== undefined && html` aria-invalid="true"`}${rest}>
${said !== undefined && html`<p class="wrong" id="${id}-wrong" role="alert">${sentence(said)}</p>`}`;
  };
  return html`<form class="card ask" action="${PATH}">
<div class="field">${field("User", "user", user, html` maxlength="640" required`)}
<p class="hint" id="user-hint">The ARN of a user, a role or a session. About others, it takes <code>stackwarden:CheckAuthorization</code> on the stack, which Manage includes.</p></div>
<div class="field">${field("Action", "action", action, html` maxlength="256" required`)}
<p class="hint" id="action-hint">Such as <code>opsworks:CreateDeployment</code>.</p></div>
<div class="field">${field("Stack id", "stack", stack, html` maxlength="36"`)}
<p class="hint" id="stack-hint">Empty for actions that have no stack, such as CreateStack.</p></div>
<datalist id="actions">${catalogue().map((one) => html`<option value="${one}"></option>`)}</datalist>
${choices("stacks", stacks)}
${choices("users", users)}
<p class="actions"><button class="first">Explain</button></p></form>`;
}

function showAnswer({ decision, context }: Evaluation): Html {
  const { rule = "", wouldGrant } = context;
  const results = applied(rule, wouldGrant === "AllowSsh");
  return html`<div class="note ${decision ? "good" : "bad"}" role="status"><p><strong>${decision ? "Allowed" : context.decision === "explicitDeny" ? "Explicitly denied" : "Denied"}</strong>: ${sentence(context.reason ?? "")}.</p></div>
<dl class="card">${details(context)}</dl>
<h2>Rule by rule</h2>
${table(
  "The rules of the decision, in the order in which they apply",
  ["Rule", "When", "Then", "Here"],
  RULES.map(({ rule: of, when, outcome }, index) => [
    html`<code>${of}</code>`,
    when,
    outcome,
    of === rule
      ? html`<strong class="decides">${results[index]}</strong>`
      : html`<span class="no">${results[index]}</span>`,
  ]),
)}`;
}

function details(context: Evaluation["context"]): Content {
  const { statements = [], wouldGrant, unreadablePolicies = [], absentKeys = [], policiesAsOf } = context;
  const own = Level.safeParse(context.level);
  const line = (term: string, content: Content) => html`<dt>${term}</dt><dd>${content}</dd>`;
  const codes = (names: readonly string[]) =>
    names.map((one, index) => html`${index > 0 && ", "}<code>${one}</code>`);
  return [
    own.success &&
      line("Level", [
        level(own.data),
        context.levelFrom !== undefined && html` <span class="from">from ${source(context.levelFrom)}</span>`,
      ]),
    statements.map(({ policy, effect, sid, index }) =>
      line(
        "Statement",
        html`${effect} in the policy ${name(policy)}: ${sid === undefined ? `number ${index + 1}` : name(sid)}`,
      ),
    ),
    wouldGrant !== undefined && line("What would grant it", remedy(wouldGrant)),
    unreadablePolicies.length > 0 && line("Policies that cannot be read", codes(unreadablePolicies)),
    absentKeys.length > 0 &&
      line(
        "Not known here",
        html`${codes(absentKeys)}: policies ask for this, and only a request has it. With it, the answer may be another.`,
      ),
    policiesAsOf !== undefined && line("Policies as of", time(new Date(policiesAsOf))),
  ];
}

function remedy(wouldGrant: string): Content {
  const least = Level.safeParse(wouldGrant);
  if (least.success) return html`the level ${level(least.data)}, or a policy`;
  return wouldGrant === "AllowSsh"
    ? "SSH/RDP access to the stack"
    : "only a policy: ask an administrator of the account for it";
}
