import { type Content, html, type Html } from "./html.ts";
import { linkTo, type Position, positionOf } from "./find-rows.ts";
import type { Visit } from "./page.ts";

/** What is searched for, in lower case; `undefined` for nothing. */
export function searchedFor({ request: { query } }: Visit): string | undefined {
  return query.get("search")?.trim().toLowerCase() || undefined;
}

/** The form that searches a list: by GET, so that what is found has an address. */
export function searchForm(
  { request: { path, query } }: Visit,
  label: string,
  choice?: {
    readonly name: string;
    readonly label: string;
    readonly options: Readonly<Record<string, string>>;
  },
): Html {
  const chosen = choice && (query.get(choice.name) ?? "");
  return html`<form class="find" role="search" action="${path}">
<div><label for="search">${label}</label><input type="search" id="search" name="search" value="${query.get("search") ?? ""}" maxlength="200"></div>
${
  choice &&
  html`<div><label for="choice">${choice.label}</label><select id="choice" name="${choice.name}">${Object.entries(choice.options).map(([value, text]) => html`<option value="${value}"${value === chosen && html` selected`}>${text}</option>`)}</select></div>`
}
<button>Search</button></form>`;
}

/** A table of what was found, with the way to more of it. `columns` are headings; each row begins with its heading. */
export function list(
  { request: { path, query } }: Visit,
  {
    caption,
    columns,
    rows,
    next,
    empty,
  }: {
    readonly caption: string;
    readonly columns: readonly string[];
    readonly rows: readonly (readonly Content[])[];
    readonly next?: Position | undefined;
    readonly empty: Content;
  },
): Html {
  const { after, skip } = positionOf(query);
  const isFirst = after === undefined && skip === 0;
  return html`${rows.length === 0 ? html`<div class="empty">${empty}</div>` : table(caption, columns, rows)}
${
  (next !== undefined || !isFirst) &&
  html`<nav class="pages" aria-label="Pages of the list">${!isFirst && html`<a class="button" href="${linkTo(path, query, undefined)}">First page</a>`}${next && html`<a class="button" rel="next" href="${linkTo(path, query, next)}">Next page</a>`}</nav>`
}`;
}

export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Content[])[],
): Html {
  return html`<div class="list" role="region" aria-label="${caption}" tabindex="0"><table><caption>${caption}</caption>
<thead><tr>${columns.map((column) => html`<th scope="col">${column}</th>`)}</tr></thead>
<tbody>${rows.map(([heading, ...cells]) => html`<tr><th scope="row">${heading}</th>${cells.map((cell, index) => html`<td data-label="${columns[index + 1] ?? ""}">${cell}</td>`)}</tr>\n`)}</tbody></table></div>`;
}
