import { percentile } from "./percentile.ts";

/** BenchResult is one peer's figures; all times are round trips in seconds, null where no probe came back. */
export interface BenchResult {
  readonly id: string;
  /** Round trips measured. */
  readonly samples: number;
  readonly lossRatio: number;
  readonly minSeconds: number | null;
  readonly p50Seconds: number | null;
  readonly p90Seconds: number | null;
  readonly p99Seconds: number | null;
  readonly maxSeconds: number | null;
  /** Mean difference of neighbouring round trips. */
  readonly jitterSeconds: number | null;
  /** Goodput of one TCP stream; null where it was not asked for or could not be measured. */
  readonly bitsPerSecond: number | null;
}

/** Samples kept for percentiles. Up to here they are exact; beyond, those of a uniform sample. */
export const RESERVOIR = 100_000;

/** Samples collects round trips in milliseconds: all of the first 100,000, then a uniform sample of all (Vitter's
 *  algorithm R). Least, greatest, count and jitter are exact always. */
export class Samples {
  readonly #kept: Float64Array;
  readonly #random: () => number;
  #count = 0;
  #least = Number.POSITIVE_INFINITY;
  #greatest = 0;
  #last = 0;
  /** Sum of the differences of neighbours. */
  #steps = 0;

  constructor(random: () => number, size = RESERVOIR) {
    this.#kept = new Float64Array(size);
    this.#random = random;
  }

  /** How many were added. */
  get count(): number {
    return this.#count;
  }

  /** add takes one round trip. */
  add(ms: number): void {
    const at = this.#count < this.#kept.length ? this.#count : Math.floor(this.#random() * (this.#count + 1));
    if (at < this.#kept.length) this.#kept[at] = ms;
    if (this.#count > 0) this.#steps += Math.abs(ms - this.#last);
    this.#last = ms;
    this.#count += 1;
    this.#least = Math.min(this.#least, ms);
    this.#greatest = Math.max(this.#greatest, ms);
  }

  /** result sums up; `sent` counts the probes that were answered or lost. It reorders the samples: call it last. */
  result(id: string, sent: number): BenchResult {
    const samples = this.#count;
    const kept = Math.min(samples, this.#kept.length);
    const at = (q: number): number | null => (samples === 0 ? null : percentile(this.#kept, kept, q) / 1000);
    return {
      id,
      samples,
      lossRatio: sent > 0 ? (sent - samples) / sent : 0,
      minSeconds: samples === 0 ? null : this.#least / 1000,
      p50Seconds: at(0.5),
      p90Seconds: at(0.9),
      p99Seconds: at(0.99),
      maxSeconds: samples === 0 ? null : this.#greatest / 1000,
      jitterSeconds: samples < 2 ? null : this.#steps / (samples - 1) / 1000,
      bitsPerSecond: null,
    };
  }
}
