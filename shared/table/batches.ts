import { Fault } from "../model/fault.ts";
import { tryAgain } from "./budget.ts";
import type { Table } from "./table.ts";
import { transact, type Write } from "./write.ts";

/** A transaction may have 100 items and 4 MB. */
const MAX_ITEMS = 90;
const MAX_BYTES = 3_000_000;
const MAX_TRIES = 8;

/** Writes more than fits into one transaction. What belongs together stays together; the whole is not one, and may end half done. */
export async function writeInBatches(table: Table, groups: AsyncIterable<readonly Write[]>): Promise<void> {
  let batch: Write[] = [];
  let bytes = 0;
  for await (const group of groups) {
    const size = Buffer.byteLength(JSON.stringify(group));
    if (batch.length + group.length > MAX_ITEMS || bytes + size > MAX_BYTES) {
      await transactPatiently(table, batch);
      batch = [];
      bytes = 0;
    }
    batch.push(...group);
    bytes += size;
  }
  if (batch.length > 0) await transactPatiently(table, batch);
}

/** So many writes to a few partitions are slowed down now and then; a transaction that was refused has written nothing. */
function transactPatiently(table: Table, writes: readonly Write[]): Promise<void> {
  const isBusy = (error: unknown) =>
    error instanceof Fault && (error.name === "ThrottlingException" || error.transient);
  return tryAgain(() => transact(table, writes), { most: MAX_TRIES, mayPass: isBusy });
}
