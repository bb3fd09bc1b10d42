import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "aws-lambda";
import * as z from "zod";
import { publishEvents } from "../shared/bus/publish-events.ts";
import { deploymentOf, eventBus } from "../shared/lambda/environment.ts";
import { inTime } from "../shared/lambda/in-time.ts";
import { sweepUnfinishedClone } from "../shared/table/clones.ts";
import { addedEvent } from "../shared/table/events.ts";
import { sweepGrantsOfStack, sweepGrantsOfUser } from "../shared/table/sweep-grants.ts";
import type { Table } from "../shared/table/table.ts";

const Text = z.object({ S: z.string() });
const Change = z.object({
  /** In seconds since 1970. */
  ApproximateCreationDateTime: z.number().optional(),
  Keys: z.object({ pk: Text, sk: Text }),
  /** An event that was added, or a user who replaced somebody else under the same name. */
  NewImage: z.looseObject({ ProfileId: Text.optional() }).optional(),
  OldImage: z
    .looseObject({ IamUserArn: Text.optional(), ProfileId: Text.optional(), StackId: Text.optional() })
    .optional(),
});
type Change = z.infer<typeof Change>;
const StreamEvent = z.object({ Records: z.array(z.object({ dynamodb: Change })) });

/**
 * Follows the table by its stream, which repeats a batch that fails: tells the event bus, if there is one, of the events that were added, and
 * clears away what a deleted user or stack, or a user who was replaced, left behind, and a copy of a stack that was never finished.
 */
export function handler(event: unknown, context: Context): Promise<void> {
  return inTime(context, () => follow(event, context));
}

async function follow(event: unknown, context: Context): Promise<void> {
  const changes = StreamEvent.parse(event).Records.map(({ dynamodb }) => dynamodb);
  const bus = eventBus();
  try {
    if (bus !== undefined) await publishEvents(bus, changes.flatMap(addedEvent));
  } finally {
    // A bus that does not answer keeps nothing from being swept.
    await sweep(deploymentOf(context).table, changes);
  }
}

/** How far the index may lag behind: a grant that was set just before the deletion is to be there. */
const LAG_MS = 10_000;

/** What is swept counted for nobody since its owner was gone; this is housekeeping. */
async function sweep(table: Table, changes: readonly Change[]): Promise<void> {
  for (const change of changes) {
    const due = sweepAfter(table, change);
    if (due === undefined) continue;
    const lag = (change.ApproximateCreationDateTime ?? 0) * 1000 + LAG_MS - Date.now();
    if (lag > 0) await sleep(lag);
    await due();
  }
}

/** What there is to do after a change, if anything. */
function sweepAfter(
  table: Table,
  { Keys, NewImage, OldImage = {} }: Change,
): (() => Promise<unknown>) | undefined {
  const { IamUserArn, ProfileId, StackId } = OldImage;
  const isGone = NewImage === undefined || NewImage.ProfileId?.S !== ProfileId?.S;
  if (Keys.sk.S === "USER" && IamUserArn && ProfileId && isGone)
    return () => sweepGrantsOfUser(table, IamUserArn.S, ProfileId.S);
  if (Keys.sk.S === "STACK" && StackId && NewImage === undefined)
    return () => sweepGrantsOfStack(table, StackId.S);
  if (Keys.sk.S === "CLONE" && StackId && NewImage === undefined)
    return () => sweepUnfinishedClone(table, StackId.S);
  return undefined;
}
