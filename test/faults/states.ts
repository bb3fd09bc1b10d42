import { isDeepStrictEqual } from "node:util";
import type { Wire } from "./world.ts";

export type Permission = { readonly Level: string; readonly AllowSsh: boolean; readonly AllowSudo: boolean };

export type Profile = { SshUsername?: string; SshPublicKey?: string; AllowSelfManagement: boolean };

export type StackState = {
  Name: string;
  DefaultInstanceProfileArn: string;
  settings: Wire;
  Tags: Record<string, string>;
  groups: Record<string, string>;
  layers: Record<string, Wire>;
  instances: Record<string, Wire>;
};

export const NONE: Permission = { Level: "iam_only", AllowSsh: false, AllowSudo: false };

/** When a state was there: not before the first, not after the second. */
export type Shown<State> = { readonly state: State; readonly from: number; readonly to: number };

/** A state and its changes; each was made at some time between two. */
export class Register<State> {
  readonly initial: State;
  readonly steps: { state: State; from: number; to: number }[] = [];

  constructor(initial: State) {
    this.initial = initial;
  }

  get last(): State {
    const step = this.steps.at(-1);
    return step ? step.state : this.initial;
  }

  add(state: State, from: number, to: number): void {
    const before = this.steps.at(-1);
    // Whoever changed it next had seen it.
    if (before) before.to = Math.min(before.to, from + 1);
    this.steps.push({ state, from, to });
  }

  /** Every state that can have been there at some time of these. */
  shown(from: number, to: number): Shown<State>[] {
    const all = [{ state: this.initial, from: Number.NEGATIVE_INFINITY, to: 0 }, ...this.steps];
    return all
      .map((step, index) => ({
        state: step.state,
        from: step.from,
        to: all[index + 1]?.to ?? Number.POSITIVE_INFINITY,
      }))
      .filter((step) => step.from <= to && step.to >= from);
  }
}

export function permissionIn({ Level, AllowSsh, AllowSudo }: Wire): Permission {
  return { Level, AllowSsh, AllowSudo };
}

export function profileIn(item: Wire): Profile | undefined {
  if (!item) return undefined;
  const { SshUsername, SshPublicKey, AllowSelfManagement } = item;
  return JSON.parse(JSON.stringify({ SshUsername, SshPublicKey, AllowSelfManagement }));
}

/** A stack as a table has it, with all that belongs to it. */
export function stackIn(id: string, items: ReadonlyMap<string, Wire>): StackState | undefined {
  const stack = items.get(`STACK#${id}\nSTACK`);
  if (!stack) return undefined;
  const { pk: _pk, sk: _sk, ...settings } = items.get(`SETTINGS#${id}\nSETTINGS`) ?? {};
  const among = (prefix: string, idOf: string) =>
    Object.fromEntries(
      [...items.values()]
        .filter(({ pk }) => pk === `${prefix}#${id}`)
        .map(({ pk: _partition, sk: _sort, ...item }) => [item[idOf], item]),
    );
  return {
    Name: stack.Name,
    DefaultInstanceProfileArn: stack.DefaultInstanceProfileArn,
    settings,
    Tags: stack.Tags,
    groups: groupsIn(stack),
    layers: among("LAYERS", "LayerId"),
    instances: among("INSTANCES", "InstanceId"),
  };
}

export function groupsIn({ GroupGrants }: Wire): Record<string, string> {
  return Object.fromEntries(
    Object.entries<Wire>(GroupGrants ?? {}).map(([name, { Level }]) => [name, Level]),
  );
}

export function isGrant({ pk, sk }: Wire): boolean {
  return pk.startsWith("STACK#") && sk.startsWith("GRANT#");
}

export function keyOf({ pk, sk }: Wire): string {
  return `${pk}\n${sk}`;
}

export function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

/** Without what is undefined, which is not kept, and without versions, which nobody asks for. */
function plain(value: unknown): unknown {
  if (value === undefined) return undefined;
  return JSON.parse(
    JSON.stringify(value, (name, member: unknown) => (name === "Version" ? undefined : member)),
  );
}
