/** Text that is markup already. */
export class Html {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What may stand in markup; of what is false or nothing, nothing is shown. */
export type Content = Html | string | number | false | undefined | readonly Content[];

const ESCAPED: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Markup, with everything escaped that is put in: a value can become text, or the whole or a part of an attribute in quotes, and nothing
 * else.
 */
export function html(markup: TemplateStringsArray, ...contents: readonly Content[]): Html {
  return new Html(
    markup.map((part, index) => (index === 0 ? "" : show(contents[index - 1])) + part).join(""),
  );
}

function show(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.toString();
  if (typeof content === "string" || typeof content === "number")
    return String(content).replaceAll(/[&<>"']/g, (sign) => ESCAPED[sign] ?? sign);
  return content.map(show).join("");
}

/** A name that people chose, which may be written in either direction: it turns nothing around it. */
export function name(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

/** What an operation says, which has between backticks what is to be typed or was. */
export function sentence(text: string): Html {
  const parts = text.split(/`([^`]*)`/);
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<code>${name(part)}</code>` : part))}`;
}
