import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "#life";
import { type Millis, millis } from "#values";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/** TestClock is time that passes when a test says so. */
export class TestClock implements Clock {
  #time = 0;
  readonly #sleepers = new Set<Sleeper>();

  /** A fixed day, so that nothing in a test depends on today. */
  now(): Millis {
    return millis(1_700_000_000_000 + this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  /** Number of waits under way: a loop that leaves timers behind shows here. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  sleep(span: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const end = (): void => {
        this.#sleepers.delete(sleeper);
        signal?.removeEventListener("abort", stop);
      };
      const stop = (): void => {
        end();
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        at: this.#time + span,
        wake: () => {
          end();
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal?.addEventListener("abort", stop, { once: true });
    });
  }

  /** pass lets a span go by: whoever sleeps is woken in turn, and what each does happens before the next. */
  async pass(span: number): Promise<void> {
    const end = this.#time + span;
    for (;;) {
      await turns();
      const next = [...this.#sleepers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#time = Math.max(this.#time, next.at);
      next.wake();
    }
    this.#time = end;
    await turns();
  }
}

/** turns lets the event loop turn, so that what waits for nothing outside is done. */
export async function turns(count = 20): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await nextTurn();
}

/** until lets the event loop turn until something holds; it throws when that never comes. */
export async function until(holds: () => boolean, what = "what the test waits for"): Promise<void> {
  for (let turn = 0; turn < 20_000; turn += 1) {
    if (holds()) return;
    await nextTurn();
  }
  throw new Error(`${what} did not come about`);
}
