import { randomUUID } from "node:crypto";
import { type Grant, NO_GRANT, type Permission, permissionOf } from "../model/grant.ts";
import type { Layer } from "../model/layer.ts";
import type { Stack } from "../model/stack.ts";
import { appendEvent } from "../table/events.ts";
import { getItems } from "../table/get-items.ts";
import {
  grantsMustBe,
  grantsOfStack,
  readGrant,
  readGrantsRevision,
  removeGrant,
  setGrant,
} from "../table/grants.ts";
import { writeInBatches } from "../table/batches.ts";
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

/** The events of the levels that groups get on a copy, with the copy itself. */
export async function* eventsOfGroups(call: Call, source: Stack, StackId: string): AsyncGenerator<Write[]> {
  for (const [GroupName, { Level }] of Object.entries(source.GroupGrants ?? {})) {
    const change = { StackId, GroupName, Before: { Level: NO_GRANT.Level }, After: { Level } };
    yield [appendEvent(call.deployment.table, changeEvent(call, change))];
  }
}

/** What users have on a stack, given to them on another, each with its event. */
export class GrantsCopy {
  readonly #call: Call;
  readonly #source: string;
  readonly #copy: string;
  /** Whoever may have something on the copy. */
  readonly #given = new Set<string>();
  /** The revisions of the source's grants that the copy has. */
  #settled: ReadonlyMap<string, string> = new Map();

  constructor(call: Call, source: Stack, copyId: string) {
    this.#call = call;
    this.#source = source.StackId;
    this.#copy = copyId;
  }

  /**
   * Gives the copy what the source has now; again, what has changed since. Answers with what holds the source to it: what is written
   * together with that is a copy of the source as it is at that moment.
   */
  async settle(): Promise<Write> {
    const { table } = this.#call.deployment;
    const revision = await readGrantsRevision(table, this.#source);
    const seen = new Map<string, string>();
    await writeInBatches(table, this.#differences(seen));
    this.#settled = seen;
    return grantsMustBe(table, this.#source, revision);
  }

  async *#differences(seen: Map<string, string>): AsyncGenerator<Write[]> {
    for await (const grants of grantsOfStack(this.#call.deployment.table, this.#source)) {
      for (const { IamUserArn, Revision } of grants) seen.set(IamUserArn, Revision);
      yield* this.#give(
        grants.filter(({ IamUserArn, Revision }) => this.#settled.get(IamUserArn) !== Revision),
      );
    }
    yield* this.#take([...this.#given].filter((userArn) => !seen.has(userArn)));
  }

  /** But for what was given to earlier users of the same names. */
  async *#give(grants: readonly Grant[]): AsyncGenerator<Write[]> {
    const { table } = this.#call.deployment;
    const userKey = ({ IamUserArn }: Grant) => keys.user(IamUserArn);
    const users = await getItems(table, grants.map(userKey));
    const theirs = await this.#ofCopy(grants.map(({ IamUserArn }) => IamUserArn));
    for (const grant of grants) {
      const user = readUser(users.get(userKey(grant)));
      if (!user) continue;
      const current = theirs.get(user.IamUserArn);
      const permission = permissionOf(user, grant);
      const write = setGrant(table, user, this.#copy, permission, current);
      if (!write) continue;
      this.#given.add(user.IamUserArn);
      yield [write, this.#event(user, permissionOf(user, current), permission)];
    }
  }

  async *#take(userArns: readonly string[]): AsyncGenerator<Write[]> {
    for (const grant of (await this.#ofCopy(userArns)).values()) {
      const before = permissionOf(grant, grant);
      const write = removeGrant(this.#call.deployment.table, grant);
      yield [write, this.#event(grant, before, NO_GRANT)];
    }
  }

  /** What these have on the copy already. */
  async #ofCopy(userArns: readonly string[]): Promise<Map<string, Grant>> {
    const given = userArns.filter((userArn) => this.#given.has(userArn));
    const keyOf = (userArn: string) => keys.grant(this.#copy, userArn);
    const items = await getItems(this.#call.deployment.table, given.map(keyOf));
    return new Map(
      given.flatMap((userArn) => {
        const grant = readGrant(items.get(keyOf(userArn)));
        return grant ? [[userArn, grant] as const] : [];
      }),
    );
  }

  #event(
    { IamUserArn, ProfileId }: Pick<Grant, "IamUserArn" | "ProfileId">,
    Before: Permission,
    After: Permission,
  ): Write {
    const change = { StackId: this.#copy, IamUserArn, ProfileId, Before, After };
    return appendEvent(this.#call.deployment.table, changeEvent(this.#call, change));
  }
}
