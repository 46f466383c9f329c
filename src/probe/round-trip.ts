/** Shortest and longest wait for an echo before its probe counts as missed, and the wait before any was measured. */
const WAIT_MS = { least: 20, most: 1000, first: 1000 } as const;
/** So long a packet may lie at an end with many targets before it is read. */
export const REST_MS = 8;
/** RFC 6298's clock granularity: both ends may rest. */
const GRANULARITY_MS = 2 * REST_MS;

/** RoundTrip smooths the round trips of one path: mean and deviation as TCP does it (RFC 6298, section 2), jitter as
 *  RTP does it (RFC 3550, section 6.4.1, over round trips in place of one-way transit times). */
export class RoundTrip {
  #mean: number | null = null;
  #deviation = 0;
  #jitter = 0;
  #last = 0;

  /** Smoothed round trip in milliseconds; null before the first. */
  get meanMs(): number | null {
    return this.#mean;
  }

  /** Smoothed difference of neighbours in milliseconds; null before the first round trip. */
  get jitterMs(): number | null {
    return this.#mean === null ? null : this.#jitter;
  }

  add(ms: number): void {
    if (this.#mean === null) {
      this.#mean = ms;
      this.#deviation = ms / 2;
    } else {
      this.#deviation += (Math.abs(this.#mean - ms) - this.#deviation) / 4;
      this.#mean += (ms - this.#mean) / 8;
      this.#jitter += (Math.abs(ms - this.#last) - this.#jitter) / 16;
    }
    this.#last = ms;
  }

  /** waitMs is how long a probe may go unanswered: RFC 6298's timeout within our own bounds. */
  waitMs(): number {
    if (this.#mean === null) return WAIT_MS.first;
    return Math.min(WAIT_MS.most, Math.max(WAIT_MS.least, this.#mean + Math.max(GRANULARITY_MS, 4 * this.#deviation)));
  }
}

/** pathMs is a round trip without the time the responder held the probe, in milliseconds. A peer's claim is not believed
 *  where it is longer than the whole, and the stamps' own error may not make a round trip negative. */
export function pathMs(sentAt: number, arrivedAt: number, heldNanos: number): number {
  const elapsed = Math.max(0, arrivedAt - sentAt);
  const heldMs = heldNanos / 1e6;
  return heldMs <= elapsed ? elapsed - heldMs : elapsed;
}
