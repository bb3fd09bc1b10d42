import { Fault } from "../model/fault.ts";

export type Paging = { readonly MaxResults?: number | undefined; readonly NextToken?: string | undefined };

/** What an answer may hold; a Lambda's may have six megabytes. */
const MAX_ROWS = 10_000;
const MAX_BYTES = 5_000_000;
const PAGE = 500;

/**
 * One page, or without `MaxResults` everything.
 * @throws Fault ValidationException when everything is too much for one answer
 */
export async function collectPages<Row>(
  { MaxResults, NextToken }: Paging,
  fetch: (limit: number, token: string | undefined) => Promise<{ page: Row[]; next: string | undefined }>,
): Promise<{ rows: Row[]; NextToken?: string }> {
  const rows: Row[] = [];
  let token = NextToken;
  let bytes = 0;
  do {
    const { page, next } = await fetch(MaxResults ?? PAGE, token);
    rows.push(...page);
    token = next;
    bytes += Buffer.byteLength(JSON.stringify(page));
    if (rows.length > MAX_ROWS || bytes > MAX_BYTES) {
      throw new Fault(
        "ValidationException",
        "the list is too long for one answer: ask in smaller pages, with `MaxResults` and `NextToken`",
      );
    }
  } while (token !== undefined && MaxResults === undefined);
  return { rows, ...(token === undefined ? {} : { NextToken: token }) };
}
