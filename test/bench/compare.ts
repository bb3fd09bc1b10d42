import type { Engine } from "./engine.ts";

/** How often an engine answers differently, and where first. */
export type Differences = { readonly count: number; readonly first: readonly number[] };

const SHOWN = 3;

/** Compares the answers of every engine with those of the first. */
export async function compare(engines: readonly Engine[]): Promise<ReadonlyMap<Engine, Differences>> {
  const [reference] = engines;
  const differences = new Map<Engine, Differences>();
  for (const engine of engines) {
    const different: number[] = [];
    for (let index = 0; index < engine.compared; index += 1) {
      if ((await engine.isAllowed(index)) !== (await reference?.isAllowed(index))) different.push(index);
    }
    differences.set(engine, { count: different.length, first: different.slice(0, SHOWN) });
  }
  return differences;
}
