import { type BenchResult, Samples } from "./bench-result.ts";
import { pathMs } from "./round-trip.ts";

/** A ping without an echo counts as lost after so long. */
const LOST_AFTER_MS = 200;

/** PingPong measures round trips back to back: one ping is out at a time, the next leaves when its echo is here or it is
 *  lost. Pure; times in milliseconds of one monotonic clock. */
export class PingPong {
  readonly #id: string;
  readonly #until: number;
  readonly #samples: Samples;
  #seq = 0;
  #sentAt: number | null = null;
  #settled = 0;

  constructor(id: string, now: number, durationMs: number, random: () => number) {
    this.#id = id;
    this.#until = now + durationMs;
    this.#samples = new Samples(random);
  }

  /** next is when expire() should be called. */
  next(now: number): number {
    return this.#sentAt === null ? now : this.#sentAt + LOST_AFTER_MS;
  }

  /** sent gives the seq of a ping that leaves now, or null while one is out or the time is over. */
  sent(now: number): number | null {
    if (this.#sentAt !== null || now >= this.#until) return null;
    this.#sentAt = now;
    return this.#seq;
  }

  /** leaves says when the ping that is out is given to the kernel: what this program took until then is not the path's. */
  leaves(now: number): void {
    if (this.#sentAt !== null) this.#sentAt = now;
  }

  /** received takes an echo; false where its ping is not the one that is out. `heldNanos` is the responder's own
   *  time. */
  received(seq: number, now: number, heldNanos: number): boolean {
    if (this.#sentAt === null || seq !== this.#seq) return false;
    this.#samples.add(pathMs(this.#sentAt, now, heldNanos));
    this.#settle();
    return true;
  }

  expire(now: number): void {
    if (this.#sentAt !== null && now - this.#sentAt >= LOST_AFTER_MS) this.#settle();
  }

  /** done reports whether the time is over and no ping is out. */
  done(now: number): boolean {
    return this.#sentAt === null && now >= this.#until;
  }

  /** result is what was measured; a ping that is out counts neither way. */
  result(): BenchResult {
    return this.#samples.result(this.#id, this.#settled);
  }

  #settle(): void {
    this.#sentAt = null;
    this.#seq += 1;
    this.#settled += 1;
  }
}
