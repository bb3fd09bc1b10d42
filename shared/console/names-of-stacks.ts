import { DescribeStacks } from "../contract/describe-stacks.ts";
import { html, type Html, name } from "./html.ts";
import type { Visit } from "./page.ts";
import { part } from "./part.ts";

/** As many as the operation takes at once. */
const AT_ONCE = 100;

/** The names of stacks by their ids, as far as the visitor may describe them. */
export async function namesOfStacks(
  { call }: Visit,
  stackIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(stackIds)];
  const names = new Map<string, string>();
  for (let from = 0; from < ids.length; from += AT_ONCE) {
    const asked = await part(call(DescribeStacks, { StackIds: ids.slice(from, from + AT_ONCE) }));
    if (asked.refusal) continue;
    for (const { StackId, Name } of asked.answer.Stacks) names.set(StackId, Name);
  }
  return names;
}

export function stackPath(stackId: string): string {
  return `/console/stacks/${encodeURIComponent(stackId)}`;
}

export function stackLink(stackId: string, names: ReadonlyMap<string, string>): Html {
  return html`<a href="${stackPath(stackId)}">${name(names.get(stackId) ?? stackId)}</a>`;
}
