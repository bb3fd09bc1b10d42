import { collectPages } from "../shared/access/collect-pages.ts";
import { loadSnapshots } from "../shared/access/snapshot.ts";
import { DescribeStacks } from "../shared/contract/describe-stacks.ts";
import { accessDenied, ask } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { filterSecrets, type Stack } from "../shared/model/stack.ts";
import { getItems } from "../shared/table/get-items.ts";
import { keys } from "../shared/table/keys.ts";
import { listStacks, noSuchStack, readSettings } from "../shared/table/stacks.ts";
import type { Table } from "../shared/table/table.ts";

/** These stacks, or all. Nothing is left out in silence: one that the caller may not describe refuses the whole. */
export const handler = serve(DescribeStacks, async (call) => {
  const { StackIds, ...paging } = call.input;
  const { table } = call.deployment;
  if (StackIds === undefined) {
    const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
      const { stacks, next } = await listStacks(table, limit, token);
      return { page: await describe(table, stacks), next };
    });
    return { Stacks: rows, ...rest };
  }
  const userArns = [call.caller.principal.userArn];
  const snapshots = await loadSnapshots(
    table,
    StackIds.map((stackId) => ({ userArns, stackId })),
  );
  const stacks: Stack[] = [];
  for (const snapshot of snapshots) {
    call.snapshot = snapshot;
    call.answer = await ask(call, "opsworks:DescribeStacks");
    if (call.answer.decision !== "allowed") throw accessDenied(call.answer);
    if (!snapshot.stack) throw noSuchStack(snapshot.stackId ?? "");
    stacks.push(snapshot.stack);
  }
  return { Stacks: await describe(table, stacks) };
});

async function describe(table: Table, stacks: readonly Stack[]) {
  const items = await getItems(
    table,
    stacks.map(({ StackId }) => keys.stackSettings(StackId)),
  );
  return stacks.map(({ Tags: _tags, Revision: _revision, ...shown }) => ({
    ...shown,
    ...filterSecrets(readSettings(items.get(keys.stackSettings(shown.StackId)))),
  }));
}
