/** Where a part of a list begins: after a token of the operation's, and so many rows further. */
export type Position = { readonly after?: string; readonly skip: number };

type Fetched<Row> = { readonly rows: readonly Row[]; readonly NextToken?: string | undefined };

const ON_A_PAGE = 100;
/** As many as an operation gives at once, and how often it is asked for one page of what is searched. */
const AT_ONCE = 1000;
const MOST_TIMES = 5;

/**
 * A page of a list that an operation gives in parts: of all, or of those that are wanted, which are looked for until there are enough of
 * them. `next` is where to go on, though there may be none left to find.
 */
export async function findRows<Row>(
  fetch: (paging: { MaxResults: number; NextToken?: string }) => Promise<Fetched<Row>>,
  from: Position,
  isWanted?: (row: Row) => boolean,
): Promise<{ rows: readonly Row[]; next?: Position }> {
  const ask = (MaxResults: number, after: string | undefined) =>
    fetch({ MaxResults, ...(after === undefined ? {} : { NextToken: after }) });
  if (!isWanted) {
    const { rows, NextToken } = await ask(ON_A_PAGE, from.after);
    return { rows, ...(NextToken === undefined ? {} : { next: { after: NextToken, skip: 0 } }) };
  }
  const found: Row[] = [];
  let { after, skip } = from;
  for (let times = 0; times < MOST_TIMES; times += 1) {
    const { rows, NextToken } = await ask(AT_ONCE, after);
    for (const [index, row] of rows.entries()) {
      if (index < skip || !isWanted(row)) continue;
      if (found.length === ON_A_PAGE)
        return { rows: found, next: { ...(after === undefined ? {} : { after }), skip: index } };
      found.push(row);
    }
    if (NextToken === undefined) return { rows: found };
    after = NextToken;
    skip = 0;
  }
  return { rows: found, next: { ...(after === undefined ? {} : { after }), skip: 0 } };
}

export function positionOf(query: URLSearchParams): Position {
  const after = query.get("after");
  const skip = Number(query.get("skip") ?? 0);
  return { ...(after ? { after } : {}), skip: Number.isInteger(skip) && skip > 0 ? skip : 0 };
}

/** The same list, from there on. */
export function linkTo(path: string, query: URLSearchParams, position: Position | undefined): string {
  const next = new URLSearchParams(query);
  next.delete("after");
  next.delete("skip");
  next.delete("done");
  if (position?.after !== undefined) next.set("after", position.after);
  if (position && position.skip > 0) next.set("skip", String(position.skip));
  const text = next.toString();
  return text === "" ? path : `${path}?${text}`;
}
