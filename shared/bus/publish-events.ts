import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from "@aws-sdk/client-eventbridge";
import type { Event } from "../model/event.ts";
import { mayPass } from "../table/ask.ts";
import { timeLeft, tryAgain, within } from "../table/budget.ts";

const SOURCE = "stackwarden";

/**
 * Of an entry, and of all that are sent together.
 *
 * Source: EventBridge User Guide, "Sending events with PutEvents" and "Calculating PutEvents event entry size".
 */
const MOST_BYTES = 256 * 1024;
const MOST_ENTRIES = 10;
/** What an entry's time counts for. */
const TIME_BYTES = 14;

/** After it, Lambda sends the batch again. */
const TRYING_MS = 30_000;

/** Some of the entries were not taken. */
class NotTaken extends Error {
  override readonly name = "NotTaken";
}

let client: EventBridgeClient | undefined;

/** Made when it is needed: most deployments have no bus. Nothing is tried again by the client. */
function open(): EventBridgeClient {
  const requestHandler = { connectionTimeout: 1000, requestTimeout: 5000, throwOnRequestTimeout: true };
  client ??= new EventBridgeClient({ maxAttempts: 1, requestHandler });
  return client;
}

/**
 * Publishes events to a bus, in their order; only those of them that it did not take are sent again.
 * @throws when it still does not take them after half a minute, or never will
 */
export async function publishEvents(bus: string, events: readonly Event[]): Promise<void> {
  const entries = events.map((event) => entryOf(bus, event));
  await within(Math.min(TRYING_MS, timeLeft()), async () => {
    for (const together of inRequests(entries)) await put(together);
  });
}

async function put(entries: readonly PutEventsRequestEntry[]): Promise<void> {
  let left = [...entries];
  await tryAgain(
    async () => {
      const { Entries: answers = [] } = await open().send(new PutEventsCommand({ Entries: left }));
      const codes = new Set(answers.flatMap(({ ErrorCode }) => ErrorCode ?? []));
      left = left.filter((_entry, index) => answers[index]?.EventId === undefined);
      if (left.length > 0)
        throw new NotTaken(`the bus did not take ${left.length} events: ${[...codes].join(", ")}`);
    },
    { most: Number.POSITIVE_INFINITY, mayPass: (error) => error instanceof NotTaken || mayPass(error) },
  );
}

function entryOf(bus: string, event: Event): PutEventsRequestEntry {
  const entry = {
    EventBusName: bus,
    Source: SOURCE,
    DetailType: event.Operation,
    Time: new Date(event.Time),
    Detail: JSON.stringify(event),
  };
  if (sizeOf(entry) < MOST_BYTES) return entry;
  const short = { ...event, Before: undefined, After: undefined, Truncated: true };
  return { ...entry, Detail: JSON.stringify(short) };
}

function* inRequests(entries: readonly PutEventsRequestEntry[]): Generator<PutEventsRequestEntry[]> {
  let together: PutEventsRequestEntry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = sizeOf(entry);
    if (together.length === MOST_ENTRIES || (together.length > 0 && bytes + size >= MOST_BYTES)) {
      yield together;
      together = [];
      bytes = 0;
    }
    together.push(entry);
    bytes += size;
  }
  if (together.length > 0) yield together;
}

function sizeOf({ Source = "", DetailType = "", Detail = "" }: PutEventsRequestEntry): number {
  return TIME_BYTES + Buffer.byteLength(Source + DetailType + Detail);
}
