import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as sleep } from "node:timers/promises";

/** When the work at hand is to be over, by `performance.now()`. Carried along, since every call to the table hangs on it. */
const deadline = new AsyncLocalStorage<number>();

/** Does work that has so many milliseconds, whatever it waits for. */
export function within<T>(milliseconds: number, work: () => T): T {
  return deadline.run(performance.now() + milliseconds, work);
}

/** Milliseconds; without end where nobody said how many there are. */
export function timeLeft(): number {
  return (deadline.getStore() ?? Number.POSITIVE_INFINITY) - performance.now();
}

const SHORTEST_MS = 25;
const LONGEST_MS = 1000;

/**
 * Tries again what failed, as long as it may pass and there is time. The pause before each try is a random part of one that doubles (full
 * jitter), so that those who were in each other's way do not meet again.
 */
export async function tryAgain<T>(
  attempt: () => Promise<T>,
  { most, mayPass }: { readonly most: number; readonly mayPass: (error: unknown, tries: number) => boolean },
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      const pause = Math.random() * Math.min(SHORTEST_MS * 2 ** tries, LONGEST_MS);
      if (tries >= most || pause >= timeLeft() || !mayPass(error, tries)) throw error;
      await sleep(pause);
    }
  }
}
