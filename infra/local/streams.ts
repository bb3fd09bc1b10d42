import { setTimeout as sleep } from "node:timers/promises";
import {
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type _Record,
} from "@aws-sdk/client-dynamodb-streams";
import type { StreamSource } from "./template.ts";

/** Runs a function with a batch of the stream's records. */
type Invoke = (source: StreamSource, event: { Records: readonly _Record[] }) => Promise<void>;

/** How long a record that was just written may wait. */
const PAUSE = 250;

/**
 * What Lambda does for functions with a DynamoDB stream: reads the table's stream from its beginning, and invokes each function with the
 * records that its filters let through, again when it fails. Each function goes its own pace, and may see a record twice.
 */
export async function pollStream(
  endpoint: string,
  streamArn: string,
  sources: readonly StreamSource[],
  invoke: Invoke,
  onFault: (error: unknown) => void = () => undefined,
): Promise<{ close(): Promise<void> }> {
  const client = new DynamoDBStreamsClient({ endpoint });
  const ending = new AbortController();
  const pollers = sources.map(async (source) => {
    const iterators = new Map<string, string | undefined>();
    while (!ending.signal.aborted) {
      try {
        await poll(source, iterators);
      } catch (error) {
        onFault(error);
        iterators.clear();
      }
      await sleep(PAUSE, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  });
  return {
    async close() {
      ending.abort();
      await Promise.all(pollers);
      client.destroy();
      // DynamoDB Local that is ended at once after its stream was read loses the last write (2 of 3 tries without this, none of 5 with it).
      await sleep(1000);
    },
  };

  async function poll(source: StreamSource, iterators: Map<string, string | undefined>): Promise<void> {
    const { StreamDescription } = await client.send(new DescribeStreamCommand({ StreamArn: streamArn }));
    for (const { ShardId = "" } of StreamDescription?.Shards ?? []) {
      if (!iterators.has(ShardId)) iterators.set(ShardId, await beginningOf(ShardId));
      const ShardIterator = iterators.get(ShardId);
      if (ShardIterator === undefined) continue;
      const page = await client.send(new GetRecordsCommand({ ShardIterator }));
      await deliver(source, page.Records ?? []);
      iterators.set(ShardId, page.NextShardIterator);
    }
  }

  async function beginningOf(ShardId: string): Promise<string | undefined> {
    const asked = { StreamArn: streamArn, ShardId, ShardIteratorType: "TRIM_HORIZON" as const };
    return (await client.send(new GetShardIteratorCommand(asked))).ShardIterator;
  }

  async function deliver(source: StreamSource, records: readonly _Record[]): Promise<void> {
    // Without their time: who waits for an index that may lag behind needs not, here.
    const wanted = records
      .filter((record) => source.filters.some((filter) => matches(filter, record)))
      .map(({ dynamodb: { ApproximateCreationDateTime: _time, ...dynamodb } = {}, ...record }) => ({
        ...record,
        dynamodb,
      }));
    for (let from = 0; from < wanted.length; from += source.batchSize) {
      const Records = wanted.slice(from, from + source.batchSize);
      for (let tries = 0; tries <= source.retries && !ending.signal.aborted; tries += 1) {
        try {
          await invoke(source, { Records });
          break;
        } catch (error) {
          onFault(error);
          await sleep(Math.min(PAUSE * 2 ** tries, 10_000), undefined, { signal: ending.signal }).catch(
            () => 0,
          );
        }
      }
    }
  }
}

/** Whether a record has what a filter pattern asks for: each list in it names the values that will do, or `{ prefix }` how they begin. */
export function matches(pattern: unknown, value: unknown): boolean {
  if (Array.isArray(pattern)) return pattern.some((wanted) => wanted === value || isBegunBy(wanted, value));
  if (typeof pattern !== "object" || pattern === null || typeof value !== "object" || value === null)
    return false;
  const members: Readonly<Record<string, unknown>> = { ...value };
  return Object.entries(pattern).every(([name, wanted]) => matches(wanted, members[name]));
}

function isBegunBy(wanted: unknown, value: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null || typeof value !== "string") return false;
  return "prefix" in wanted && typeof wanted.prefix === "string" && value.startsWith(wanted.prefix);
}
