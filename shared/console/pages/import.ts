import type * as z from "zod";
import { DescribeImport } from "../../contract/describe-import.ts";
import { ImportUsers } from "../../contract/import-users.ts";
import { Fault } from "../../model/fault.ts";
import { choice, reasonField, reasonOf, textArea, textField, wrongs } from "../fields.ts";
import { type Content, html, type Html, name, sentence } from "../html.ts";
import { hiddenToken } from "../layout.ts";
import { stackPath } from "../names-of-stacks.ts";
import type { Page, View, Visit } from "../page.ts";
import { type Part, part, showPart } from "../part.ts";
import { whichMay } from "../which-may.ts";
import { time } from "../words.ts";
import { IMPORT, ORPHANS, profilePath, USERS, usersTabs } from "./users.ts";

type Report = z.output<typeof DescribeImport.output>;

const MEMBERS = ["IamUserArns", "SourceRegion", "Reason"];

/** Starts an import, shows how far it is, and how the last one ended. */
export const importUsers: Page = {
  path: IMPORT,
  async get(visit) {
    return show(visit);
  },
  async post(visit) {
    const { form } = visit.request;
    const whom = form.get("Whom");
    const chosen = (form.get("IamUserArns") ?? "").split(/[\s,]+/).filter((arn) => arn !== "");
    try {
      await visit.call(ImportUsers, {
        ...(whom === "chosen" ? { IamUserArns: chosen } : {}),
        ...(whom === "known" ? { OnlyKnown: true } : {}),
        ...(form.get("From") === "region" ? { SourceRegion: (form.get("SourceRegion") ?? "").trim() } : {}),
        ...reasonOf(form),
      });
      return { location: IMPORT };
    } catch (error) {
      const isTheirs =
        error instanceof Fault && ["ValidationException", "ConflictException"].includes(error.name);
      if (!isTheirs) throw error;
      return show(visit, error);
    }
  },
};

async function show(visit: Visit, fault?: Fault): Promise<View> {
  const [last, may] = await Promise.all([
    part(visit.call(DescribeImport, {})),
    whichMay(visit, ["stackwarden:ImportUsers"]),
  ]);
  const mayImport = may.has("stackwarden:ImportUsers");
  // Who may do neither reads why, and nothing else.
  if (last.refusal?.name === "AccessDeniedException" && !mayImport) throw last.refusal;
  const isUnderWay = last.answer?.Status === "running";
  return {
    title: "Import users",
    section: "users",
    ...(fault ? { status: fault.statusCode } : {}),
    body: html`${usersTabs(IMPORT)}
${fault?.name === "ConflictException" && html`<p class="note bad" role="alert">${sentence(fault.message)}</p>`}
${showLast(last)}
${mayImport && !isUnderWay && importForm(visit, fault)}
${!mayImport && html`<p>Starting one takes a policy that allows <code>stackwarden:ImportUsers</code>.</p>`}`,
  };
}

function showLast(last: Part<Report>): Html {
  if (last.refusal?.name === "ResourceNotFoundException")
    return html`<p class="empty">There was no import yet.</p>`;
  return showPart(last, (report) => (report.Status === "running" ? underWay(report) : ended(report)));
}

/** Asks for itself again by script; without one, by its link. */
function underWay({ Source, StartedAt, Caller, Progress, Failure }: Report): Html {
  return html`<section class="card" data-refresh aria-live="polite"><h2>Importing ${from(Source)} …</h2>
<progress aria-label="Users and roles looked at"${Progress.Of !== undefined && html` value="${Progress.Done}" max="${Progress.Of}"`}></progress>
<p><strong>${Progress.Done}</strong>${Progress.Of !== undefined && html` of ${Progress.Of}`} users and roles were looked at so far.</p>
${Failure !== undefined && html`<p class="wrong">Something went wrong and is tried again: ${Failure}</p>`}
<p class="hint">Started ${time(new Date(StartedAt))} by ${by(Caller)}. It goes on without this page. <a href="${IMPORT}">Refresh</a></p></section>`;
}

function ended(report: Report): Html {
  const { Status, Source, StartedAt, FinishedAt, Caller, Failure } = report;
  const isDone = Status === "succeeded";
  return html`<h2>The last import</h2>
<p class="note ${isDone ? "good" : "bad"}">${
    isDone
      ? html`Imported ${from(Source)}.`
      : html`The import ${from(Source)} failed. What it had done by then stays, and another one goes on from there.`
  }${Failure !== undefined && html` <span class="key">${Failure}</span>`}</p>
<p class="hint">Started ${time(new Date(StartedAt))} by ${by(Caller)}${FinishedAt !== undefined && html`, ended ${time(new Date(FinishedAt))}`}.</p>
${isDone && report.Added + report.Changed > 0 && whatNext(report)}
<div class="card"><dl>${lines(report)}</dl></div>`;
}

/**
 * "By default, a user whom you have just imported from another region has no access to stacks in the destination region."
 *
 * Source: OpsWorks User Guide, "Granting AWS OpsWorks Stacks Users Per-Stack Permissions".
 */
function whatNext({ Source, Added }: Report): Content {
  const next = html`A stack’s Permissions page gives them a level there. <a href="${USERS}">Show users</a>`;
  if (Source !== "iam")
    return html`<p>Who came from ${Source} for the first time has IAM Policies Only on every stack here: no level came along. ${next}</p>`;
  return Added > 0 && html`<p>Who was added has IAM Policies Only on every stack. ${next}</p>`;
}

function lines(report: Report): Content {
  const { Added, Changed, Unchanged, Vanished, VanishedUsers, Unreadable, Findings } = report;
  const { NotUnderstood, NotUnderstoodCount, RoleGaps = [] } = report;
  return [
    html`<dt>Added</dt><dd>${Added}</dd><dt>Changed</dt><dd>${Changed}</dd><dt>Unchanged</dt><dd>${Unchanged}</dd>`,
    html`<dt>No longer in IAM</dt><dd>${Vanished}${
      Vanished > 0 &&
      html`. <a href="${ORPHANS}">Who of them still holds something</a>${folded(
        VanishedUsers.map((arn) => html`<a href="${profilePath(arn)}">${name(arn)}</a>`),
        Vanished,
      )}`
    }</dd>`,
    html`<dt>With a policy that cannot be read</dt><dd>${Unreadable}${Unreadable > 0 && ". They are denied whatever it might decide"}</dd>`,
    html`<dt>Not understood</dt><dd>${NotUnderstoodCount}${folded(
      NotUnderstood.map((text) => name(text)),
      NotUnderstoodCount,
    )}</dd>`,
    html`<dt>Findings about policies</dt><dd>${Findings}${Findings > 0 && html`. <code>npm run -s import -- &lt;file&gt; --check</code> names each`}</dd>`,
    html`<dt>Roles of stacks that lack something</dt><dd>${RoleGaps.length}${folded(
      RoleGaps.map(
        ({ StackId, Arn, message }) =>
          html`<a href="${stackPath(StackId)}#roles">${StackId}</a> <span class="key">${name(Arn)}</span>: ${sentence(message)}`,
      ),
      RoleGaps.length,
    )}</dd>`,
  ];
}

/** A list that may be long, of which the first are known. */
function folded(entries: readonly Html[], of: number): Content {
  if (entries.length === 0) return undefined;
  return html`<details><summary>${entries.length === of ? "Show them" : `Show the first ${entries.length}`}</summary><ul>${entries.map((entry) => html`<li>${entry}</li>`)}</ul></details>`;
}

function from(source: string): string {
  return source === "iam" ? "from IAM" : `from ${source}`;
}

function by(caller: string): Html {
  return caller === "schedule" ? html`the schedule` : html`<span class="key">${name(caller)}</span>`;
}

function importForm({ request: { form }, formToken }: Visit, fault: Fault | undefined): Html {
  const wrong = fault?.name === "ValidationException" ? wrongs(fault, MEMBERS) : {};
  return html`<h2>Import</h2>
<p class="sub">Reads who there is in IAM, with their policies and groups. Whoever is new here gets IAM Policies Only on every stack. Nobody is deleted.</p>
${wrong.other !== undefined && html`<p class="note bad" role="alert">${sentence(wrong.other)}</p>`}
<form class="card" method="post" action="${IMPORT}">${hiddenToken({ formToken })}
${choice("From", "From where", form.get("From") ?? "iam", [
  { value: "iam", label: "IAM" },
  {
    value: "region",
    label: "Another region of this account",
    more: textField({
      name: "SourceRegion",
      label: "Region",
      value: form.get("SourceRegion") ?? "",
      hint: html`Such as <code>eu-west-1</code>: one whose table is in this deployment’s parameter <code>SourceTables</code>. Whoever has a profile there gets it here, in place of theirs: SSH user name, key and self-management come along, levels do not.`,
      wrong: wrong.SourceRegion,
      maxLength: 32,
    }),
  },
])}
${choice("Whom", "Whom", form.get("Whom") ?? "all", [
  { value: "all", label: "Everybody there" },
  { value: "known", label: "Only who is a user here already" },
  {
    value: "chosen",
    label: "These",
    more: textArea({
      name: "IamUserArns",
      label: "ARNs of users and roles",
      value: form.get("IamUserArns") ?? "",
      hint: html`One a line, up to 1000: <code>arn:aws:iam::&lt;account&gt;:user/&lt;name&gt;</code>`,
      wrong: wrong.IamUserArns,
      maxLength: 200_000,
    }),
  },
])}
${reasonField(form.get("Reason") ?? "", wrong.Reason)}
<p class="actions"><button class="first">Import</button></p></form>`;
}
