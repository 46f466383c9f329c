import { setTimeout as sleepFor } from "node:timers/promises";
import { type Millis, millis } from "#values";

/** Clock is time as an argument: the real one in the program, a simulated one in tests. */
export interface Clock {
  /** Wall-clock time; it may jump. */
  now(): Millis;
  /** Time since some fixed moment, in milliseconds; it never jumps. */
  monotonic(): number;
  /** sleep ends after a span, or rejects with the signal's reason. */
  sleep(span: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => millis(Date.now()),
  monotonic: () => performance.now(),
  sleep: async (span, signal) => {
    await sleepFor(span, undefined, signal === undefined ? {} : { signal });
  },
};
