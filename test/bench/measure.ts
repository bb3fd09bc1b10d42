import type { Engine } from "./engine.ts";

/** Of the rounds: the middle, the slowest, the fastest. */
export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** Decisions a second in every round. */
export type Rates = ReadonlyMap<Engine, readonly number[]>;

/**
 * Times the engines in turns: first each by itself, uncounted, then one after the other in every round, so that whatever
 * else the machine does, it does to all of them. Benchmark libraries time one after the other, each to its end.
 */
export async function measure(
  engines: readonly Engine[],
  rounds: number,
  milliseconds: number,
): Promise<Rates> {
  const runs = new Map<Engine, { passes: number; rates: number[] }>();
  for (const engine of engines) {
    await timed(engine, await passesIn(engine, milliseconds));
    runs.set(engine, { passes: await passesIn(engine, milliseconds), rates: [] });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const [engine, { passes, rates }] of runs) {
      rates.push((passes * engine.perPass) / (await timed(engine, passes)));
    }
  }
  return new Map([...runs].map(([engine, { rates }]) => [engine, rates]));
}

/** How many passes fill that time. */
async function passesIn(engine: Engine, milliseconds: number): Promise<number> {
  return Math.max(1, Math.round(milliseconds / 1000 / (await timed(engine, 1))));
}

/** In seconds, after one pass that is not timed. */
async function timed(engine: Engine, passes: number): Promise<number> {
  const expected = await engine.pass();
  const start = performance.now();
  for (let pass = 0; pass < passes; pass += 1) {
    const allowed = await engine.pass();
    if (allowed !== expected) throw new Error(`${engine.name} does not give the same answers twice`);
  }
  return (performance.now() - start) / 1000;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = (sorted.length - 1) / 2;
  const [low = 0, high = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (low + high) / 2, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** How many times as fast one is as another, round by round. */
export function timesOf(rates: readonly number[], others: readonly number[]): Spread {
  return spreadOf(rates.map((rate, round) => rate / (others[round] ?? Number.NaN)));
}
