const SECOND = 1000;
/** Ten whole seconds and the running one. */
const SLOTS = 11;

/** LossWindow is the share of probes without an answer among those sent in the last 10 s. Times in milliseconds of
 *  one monotonic clock; a probe is booked under the second in which it was sent. */
export class LossWindow {
  readonly #good = new Float64Array(SLOTS);
  readonly #lost = new Float64Array(SLOTS);
  /** Which second each slot holds. */
  readonly #second = new Float64Array(SLOTS).fill(-1);

  /** good books an answered probe. */
  good(sentAt: number): void {
    this.#add(this.#good, sentAt, 1);
  }

  /** lost books one whose time is over. */
  lost(sentAt: number): void {
    this.#add(this.#lost, sentAt, 1);
  }

  /** found takes back a loss: the echo came after its time. */
  found(sentAt: number): void {
    this.#add(this.#lost, sentAt, -1);
    this.#add(this.#good, sentAt, 1);
  }

  /** ratio is 0 to 1; 0 where nothing was sent. */
  ratio(now: number): number {
    const newest = Math.floor(now / SECOND);
    let good = 0;
    let lost = 0;
    for (let i = 0; i < SLOTS; i += 1) {
      const age = newest - (this.#second[i] ?? -1);
      if (age < 0 || age >= SLOTS) continue;
      good += this.#good[i] ?? 0;
      lost += this.#lost[i] ?? 0;
    }
    return good + lost > 0 ? Math.max(0, lost) / (good + lost) : 0;
  }

  #add(counts: Float64Array, sentAt: number, amount: number): void {
    const second = Math.floor(sentAt / SECOND);
    const slot = second % SLOTS;
    const held = this.#second[slot] ?? -1;
    if (second < held) return; // an echo so late that its second has left the window
    if (second > held) {
      this.#second[slot] = second;
      this.#good[slot] = 0;
      this.#lost[slot] = 0;
    }
    counts[slot] = Math.max(0, (counts[slot] ?? 0) + amount);
  }
}
