/** Upper bounds of the round-trip histogram, in seconds. */
export const BUCKETS: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** Histogram counts round trips into fixed buckets, as a Prometheus histogram wants them. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS.length);
  #count = 0;
  #sum = 0;

  /** How many were added, those above the last bound included. */
  get count(): number {
    return this.#count;
  }

  /** Their sum, in seconds. */
  get sum(): number {
    return this.#sum;
  }

  add(seconds: number): void {
    this.#count += 1;
    this.#sum += seconds;
    const bucket = BUCKETS.findIndex((le) => seconds <= le);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** cumulative gives for each bound how many were at most that long. */
  cumulative(): { le: number; count: number }[] {
    let below = 0;
    return BUCKETS.map((le, i) => {
      below += this.#counts[i] ?? 0;
      return { le, count: below };
    });
  }
}
