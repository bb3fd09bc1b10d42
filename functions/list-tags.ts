import { collectPages } from "../shared/access/collect-pages.ts";
import { ListTags } from "../shared/contract/list-tags.ts";
import { serve } from "../shared/lambda/serve.ts";
import { readTagged } from "../shared/lambda/tags.ts";
import { versionOf } from "../shared/model/version.ts";
import { readCursor, writeCursor } from "../shared/table/list.ts";

/** The tags of a stack or a layer, by their keys. */
export const handler = serve(ListTags, async (call) => {
  const { ResourceArn, ...paging } = call.input;
  const { stack, layer } = await readTagged(call, ResourceArn.tagged);
  const tags = Object.entries((layer ?? stack).Tags).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const after = token === undefined ? "" : readCursor("tags", token);
    const left = tags.filter(([key]) => key > after);
    const page = left.slice(0, limit);
    const [last] = page.at(-1) ?? [];
    const isMore = left.length > page.length && last !== undefined;
    return { page, next: isMore ? writeCursor("tags", last) : undefined };
  });
  return { Tags: Object.fromEntries(rows), Version: versionOf(layer ?? stack), ...rest };
});
