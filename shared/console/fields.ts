import type { Fault } from "../model/fault.ts";
import { type Content, html, type Html, sentence } from "./html.ts";

type Field = {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly hint: Content;
  /** What an operation said of it. */
  readonly wrong?: string | undefined;
  /** What else stands below it. */
  readonly note?: Content;
};

export function textField(
  field: Field & { readonly maxLength: number; readonly isRequired?: boolean },
): Html {
  const { name, value, maxLength, isRequired } = field;
  return labelled(
    field,
    html`<input type="text" id="${name}" name="${name}" value="${value}" maxlength="${maxLength}" spellcheck="false" autocomplete="off"${describedBy(field)}${isRequired && html` required`}>`,
  );
}

export function textArea(field: Field & { readonly maxLength: number }): Html {
  const { name, value, maxLength } = field;
  return labelled(
    field,
    html`<textarea id="${name}" name="${name}" maxlength="${maxLength}" spellcheck="false" autocomplete="off"${describedBy(field)}>
${value}</textarea>`,
  );
}

/** Sent as `yes`, or not at all. */
export function checkbox(
  { name, label, hint, note }: Omit<Field, "value" | "wrong">,
  isChecked: boolean,
): Html {
  return html`<div class="field tick"><input type="checkbox" id="${name}" name="${name}" value="yes"${isChecked && html` checked`} aria-describedby="${name}-hint"><label for="${name}">${label}</label>
<p class="hint" id="${name}-hint">${hint}</p>${note}</div>`;
}

/** One of several, each with its own words. */
export function choice(
  name: string,
  legend: string,
  chosen: string,
  options: readonly { readonly value: string; readonly label: string; readonly more?: Content }[],
): Html {
  return html`<fieldset><legend>${legend}</legend>${options.map(
    ({ value, label, more }) =>
      html`<div class="tick"><input type="radio" id="${name}-${value}" name="${name}" value="${value}"${value === chosen && html` checked`}><label for="${name}-${value}">${label}</label>${more !== undefined && html`<div class="more">${more}</div>`}</div>`,
  )}</fieldset>`;
}

/** Why it is done, which the events keep. */
export function reasonField(value: string, wrong?: string): Html {
  return textField({
    name: "Reason",
    label: "Reason (optional)",
    value,
    hint: "Kept with the change, for whoever reads the history.",
    wrong,
    maxLength: 500,
  });
}

export function reasonOf(form: URLSearchParams): { Reason?: string } {
  const Reason = (form.get("Reason") ?? "").trim();
  return Reason === "" ? {} : { Reason };
}

/** What an operation said, by the member it is about; what is about none of these, as `other`. */
export function wrongs(
  { message }: Fault,
  members: readonly string[],
): Readonly<Record<string, string | undefined>> {
  const said: Record<string, string> = {};
  for (const part of message.split(/; (?=`)/)) {
    const about = members.find((member) => part.startsWith(`\`${member}`)) ?? "other";
    said[about] = said[about] === undefined ? part : `${said[about]}; ${part}`;
  }
  return said;
}

function labelled({ name, label, hint, wrong, note }: Field, input: Html): Html {
  return html`<div class="field"><label for="${name}">${label}</label>${input}
${wrong !== undefined && html`<p class="wrong" id="${name}-wrong" role="alert">${sentence(wrong)}</p>`}
<p class="hint" id="${name}-hint">${hint}</p>${note}</div>`;
}

function describedBy({ name, wrong }: Field): Html {
  return html` aria-describedby="${name}-hint${wrong !== undefined && ` ${name}-wrong`}"${wrong !== undefined && html` aria-invalid="true"`}`;
}
