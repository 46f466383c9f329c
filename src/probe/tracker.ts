import type { Pace } from "./pace.ts";
import { RoundTrip } from "./round-trip.ts";

/** Fate of one probe:
 *      waiting ──echo in time──> good
 *         ├──no echo in time──> missed ──echo after all──> good
 *         └──the local loop was late──> void (neither good nor missed)  */
const FATE = { waiting: 1, good: 2, missed: 3, void: 4 } as const;
/** Probes remembered; at 15 ms apart these are 3.8 s, longer than any wait for an echo. */
const RING = 256;

/** What an echo or a deadline did to the verdict. */
export type Change = "up" | "down" | null;
/** Bookkeeping of a probe's fate by the time it was sent. */
export interface Ledger {
  good(sentAt: number): void;
  lost(sentAt: number): void;
  found(sentAt: number): void;
}

/** Tracker is the verdict over one target: pure, times in milliseconds of one monotonic clock that the caller passes.
 *
 *      not judged (counts as down) ──`upAfter` good probes in a row──> up
 *         └──`downAfter` misses in a row──> down                        │ `downAfter` misses in a row
 *                                            ├──`upAfter` good──────────┤
 *                                            └──<───────────────────────┘ */
export class Tracker {
  readonly roundTrip = new RoundTrip();
  readonly #random: () => number;
  readonly #ledger: Ledger;
  /** The ring: probe n is at n % RING. */
  readonly #sentAt = new Float64Array(RING);
  readonly #deadline = new Float64Array(RING);
  readonly #fate = new Uint8Array(RING);
  #pace: Pace;
  /** When the next probe is due. */
  #nextSend: number;
  #seq = 0;
  /** Oldest probe that may still be waiting. */
  #oldest = 0;
  /** Misses since the last good probe, and good probes since the last miss. */
  #misses = 0;
  #hits = 0;
  #up = false;
  /** Whether there was a verdict at all: the first one is told, also when it is "down". */
  #judged = false;
  #received = 0;

  constructor(now: number, pace: Pace, random: () => number, ledger: Ledger) {
    this.#pace = pace;
    this.#random = random;
    this.#ledger = ledger;
    this.#nextSend = now + random() * pace.intervalMs; // targets set together do not stay in step
  }

  /** The verdict. */
  get up(): boolean {
    return this.#up;
  }

  /** Probes sent; also the seq of the next one. */
  get sentCount(): number {
    return this.#seq;
  }

  /** Echoes taken, late ones included. */
  get receivedCount(): number {
    return this.#received;
  }

  /** setPace takes effect with the next wait. */
  setPace(pace: Pace): void {
    this.#pace = pace;
  }

  /** next is when sent() or expire() should be called. */
  next(): number {
    this.#skipSettled();
    const waiting = this.#oldest < this.#seq ? (this.#deadline[this.#oldest % RING] ?? 0) : Number.POSITIVE_INFINITY;
    return Math.min(this.#nextSend, waiting);
  }

  /** nextSend is when the next probe is due. */
  nextSend(): number {
    return this.#nextSend;
  }

  /** sent books one probe and gives its seq. */
  sent(now: number): number {
    const seq = this.#seq;
    const slot = seq % RING;
    this.#seq += 1;
    if (this.#oldest <= seq - RING) this.#oldest = seq - RING + 1;
    this.#sentAt[slot] = now;
    this.#deadline[slot] = now + this.roundTrip.waitMs();
    this.#fate[slot] = FATE.waiting;
    this.#nextSend = Math.max(this.#nextSend, now - this.#pace.intervalMs / 2) + this.#waitAfterSend();
    return seq;
  }

  /** received takes an echo. `rttMs` is null where it could not be measured well (the loop was late).
   *  Gives undefined for an echo of nothing we sent, or for a second one. */
  received(seq: number, rttMs: number | null): Change | undefined {
    const sentAt = this.sentAtOf(seq);
    const slot = seq % RING;
    const fate = this.#fate[slot];
    if (sentAt === undefined || fate === FATE.good) return undefined;
    if (fate === FATE.missed) this.#ledger.found(sentAt);
    else this.#ledger.good(sentAt);
    this.#fate[slot] = FATE.good;
    this.#received += 1;
    this.#misses = 0;
    this.#hits += 1;
    if (rttMs !== null) this.roundTrip.add(rttMs);
    if (this.#up || this.#hits < this.#pace.upAfter) return null;
    this.#up = true;
    this.#judged = true;
    return "up";
  }

  /** sentAtOf is when a probe was sent, or undefined where it is too old or unknown. */
  sentAtOf(seq: number): number | undefined {
    return seq < this.#seq && seq >= this.#seq - RING ? this.#sentAt[seq % RING] : undefined;
  }

  /** expire counts the probes whose echo is overdue. Read all sockets first: an echo may lie there. */
  expire(now: number): Change {
    let change: Change = null;
    for (let seq = this.#oldest; seq < this.#seq; seq += 1) {
      const slot = seq % RING;
      if (this.#fate[slot] !== FATE.waiting) continue;
      if ((this.#deadline[slot] ?? 0) > now) break;
      this.#fate[slot] = FATE.missed;
      this.#ledger.lost(this.#sentAt[slot] ?? 0);
      change = this.#missed(now) ?? change;
    }
    this.#skipSettled();
    return change;
  }

  /** late says that this machine did not run for a while until now: probes still waiting count neither way. */
  late(): void {
    for (let seq = this.#oldest; seq < this.#seq; seq += 1) {
      if (this.#fate[seq % RING] === FATE.waiting) this.#fate[seq % RING] = FATE.void;
    }
    this.#skipSettled();
  }

  /** missed counts one miss; the first brings the next probe forward. */
  #missed(now: number): Change {
    this.#misses += 1;
    this.#hits = 0;
    if (this.#up && this.#misses === 1) this.#nextSend = Math.min(this.#nextSend, now);
    if (this.#misses < this.#pace.downAfter || (this.#judged && !this.#up)) return null;
    this.#up = false;
    this.#judged = true;
    return "down";
  }

  /** While up and missing echoes the next probe follows quickly; a target that is down is probed as any other. */
  #waitAfterSend(): number {
    if (this.#up && this.#misses > 0) return this.#pace.retryMs;
    return this.#pace.intervalMs * (0.9 + 0.2 * this.#random());
  }

  /** skipSettled moves `oldest` to the first probe that still waits. */
  #skipSettled(): void {
    while (this.#oldest < this.#seq && this.#fate[this.#oldest % RING] !== FATE.waiting) this.#oldest += 1;
  }
}
