import { collectPages } from "../shared/access/collect-pages.ts";
import { DescribeEvents } from "../shared/contract/describe-events.ts";
import { serve } from "../shared/lambda/serve.ts";
import { Fault } from "../shared/model/fault.ts";
import { trailPage } from "../shared/table/events.ts";
import { readCursor, writeCursor } from "../shared/table/list.ts";

/** How far back it looks for everybody's events, unless told; as CloudTrail does. */
const DAYS = 90;

/** The account's trail is asked day by day, so a list that comes whole cannot go back for ever. */
const MOST_DAYS = 400;

function daysOf({ from, to }: { readonly from: string; readonly to: string }): number {
  return (Date.parse(to) - Date.parse(from)) / 86_400_000;
}

/** Where a page ended: an event's time, and its id. */
const PLACE = /^\d{4}-\d\d-\d\dT[\w:.~#-]*$/;

function readPlace(list: string, token: string): string {
  const place = readCursor(list, token);
  if (PLACE.test(place)) return place;
  throw new Fault("ValidationException", "`NextToken` is not a token of this list");
}

/** What was changed, the newest first. */
export const handler = serve(DescribeEvents, async (call) => {
  const { StackId, IamUserArn, StartTime, EndTime, ...paging } = call.input;
  const list = `events/${StackId ?? IamUserArn ?? ""}`;
  const of =
    StackId !== undefined
      ? { stackId: StackId }
      : IamUserArn !== undefined
        ? { userArn: IamUserArn }
        : ("account" as const);
  // Whose clock is a little ahead is heard, too.
  const to = EndTime ?? new Date(call.now.getTime() + 60_000).toISOString();
  const first = of === "account" ? new Date(Date.parse(to) - DAYS * 86_400_000).toISOString() : "0";
  const span = { from: StartTime ?? first, to };
  if (of === "account" && paging.MaxResults === undefined && daysOf(span) > MOST_DAYS)
    throw new Fault("ValidationException", `more than ${MOST_DAYS} days take \`MaxResults\`, page by page`);
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const before = token === undefined ? undefined : readPlace(list, token);
    const { page, next } = await trailPage(call.deployment.table, of, span, limit, before);
    return { page, next: next === undefined ? undefined : writeCursor(list, next) };
  });
  return { Events: rows, ...rest };
});
