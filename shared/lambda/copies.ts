import { randomUUID } from "node:crypto";
import { type Grant, NO_GRANT, type Permission, permissionOf } from "../model/grant.ts";
import type { Layer } from "../model/layer.ts";
import type { Stack } from "../model/stack.ts";
import type { User } from "../model/user.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import { grantsOfStack, setGrant } from "../table/grants.ts";
import { keys } from "../table/keys.ts";
import { layersOfStack, newLayer } from "../table/layers.ts";
import { readUser } from "../table/users.ts";
import type { Write } from "../table/write.ts";
import type { Call } from "./call.ts";
import { changeEvent } from "./change-event.ts";

/** The layers of a stack, as those of another. */
export async function copyLayers(
  { deployment, now }: Call,
  source: Stack,
  StackId: string,
): Promise<Layer[]> {
  const copies: Layer[] = [];
  for await (const layers of layersOfStack(deployment.table, source.StackId)) {
    for (const layer of layers) {
      copies.push({ ...layer, StackId, LayerId: randomUUID(), CreatedAt: now.toISOString() });
    }
  }
  return copies;
}

/** What it takes to write these layers, one after the other. */
export async function* writesOfLayers({ deployment }: Call, layers: readonly Layer[]) {
  for (const layer of layers) yield newLayer(deployment.table, layer);
}

/** What everybody has on a stack, given to them on another, each with its event. */
export async function* copyGrants(call: Call, source: Stack, StackId: string): AsyncGenerator<Write[]> {
  const { table } = call.deployment;
  const event = (about: { IamUserArn: string } | { GroupName: string }, Before: object, After: object) =>
    appendEvent(table, changeEvent(call, { StackId, ...about, Before, After }));
  for (const [GroupName, { Level }] of Object.entries(source.GroupGrants ?? {})) {
    yield [event({ GroupName }, { Level: NO_GRANT.Level }, { Level })];
  }
  for await (const grants of grantsOfStack(table, source.StackId)) {
    for (const [user, permission] of await liveGrants(call, grants)) {
      const { IamUserArn } = user;
      const grant = setGrant(table, user, StackId, permission, undefined);
      if (grant) yield [grant, event({ IamUserArn }, NO_GRANT, permission)];
    }
  }
}

/** Without what was given to earlier users of the same names. */
async function liveGrants(
  { deployment }: Call,
  grants: readonly Grant[],
): Promise<(readonly [User, Permission])[]> {
  const keyOf = ({ IamUserArn }: Grant) => keys.user(IamUserArn);
  const items = await getItems(deployment.table, grants.map(keyOf));
  return grants.flatMap((grant) => {
    const user = readUser(items.get(keyOf(grant)));
    return user ? [[user, permissionOf(user, grant)] as const] : [];
  });
}
