import { collectPages } from "../shared/access/collect-pages.ts";
import { loadSnapshot } from "../shared/access/snapshot.ts";
import { namesOf } from "../shared/access/who.ts";
import { DescribeStacks } from "../shared/contract/describe-stacks.ts";
import { accessDenied, ask, authorizeOnStacks } from "../shared/lambda/authorize.ts";
import { serve } from "../shared/lambda/serve.ts";
import { filterSecrets, type Stack } from "../shared/model/stack.ts";
import { versionOf } from "../shared/model/version.ts";
import { getItems } from "../shared/table/get-items.ts";
import { keys } from "../shared/table/keys.ts";
import { listStacks, readSettings } from "../shared/table/stacks.ts";
import type { Table } from "../shared/table/table.ts";

/** These stacks, or all. Nothing is left out in silence: one that the caller may not describe refuses the whole. */
export const handler = serve(DescribeStacks, async (call) => {
  const { StackIds, ...paging } = call.input;
  const { table } = call.deployment;
  const describe = async (ids: readonly string[]) =>
    showAll(table, await authorizeOnStacks(call, "opsworks:DescribeStacks", ids));
  if (StackIds !== undefined) return { Stacks: await describe(StackIds) };

  const userArns = namesOf(call.caller.principal);
  call.snapshot = await loadSnapshot(table, { userArns });
  call.answer = await ask(call, "opsworks:DescribeStacks");
  if (!call.answer.known || call.answer.decision === "explicitDeny") throw accessDenied(call.answer);
  const { rows, ...rest } = await collectPages(paging, async (limit, token) => {
    const { page: stacks, next } = await listStacks(table, limit, token);
    const items = await getItems(
      table,
      stacks.map(({ StackId }) => keys.stack(StackId)),
    );
    // The index may have one that was deleted a moment ago.
    const there = stacks.filter(({ StackId }) => items.get(keys.stack(StackId)) !== undefined);
    return { page: await describe(there.map(({ StackId }) => StackId)), next };
  });
  return { Stacks: rows, ...rest };
});

async function showAll(table: Table, stacks: readonly Stack[]) {
  const items = await getItems(
    table,
    stacks.map(({ StackId }) => keys.stackSettings(StackId)),
  );
  return stacks.map(
    ({
      Tags: _tags,
      GroupGrants: _grants,
      LayerCount: _layers,
      InstanceCount: _instances,
      Revision: _revision,
      ...shown
    }) => ({
      ...shown,
      Version: versionOf(shown),
      ...filterSecrets(readSettings(items.get(keys.stackSettings(shown.StackId)))),
    }),
  );
}
