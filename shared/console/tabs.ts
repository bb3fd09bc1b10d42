import { html, type Html } from "./html.ts";

/** The pages that belong together, by their paths; what is being looked at is one of them, or below it. */
export function tabs(label: string, pages: Readonly<Record<string, string>>, current: string): Html {
  return html`<nav class="tabs" aria-label="${label}">${Object.entries(pages).map(([path, text]) => html`<a href="${path}"${path === current && html` aria-current="true"`}>${text}</a>`)}</nav>`;
}
