/** Pace is how often a target is probed and how many answers make a verdict. */
export interface Pace {
  /** Between probes, in milliseconds; each wait is jittered by a tenth either way. */
  readonly intervalMs: number;
  /** After a miss. */
  readonly retryMs: number;
  /** Misses in a row until a target is down. */
  readonly downAfter: number;
  /** Good probes in a row until it is up again: fewer, and a returning gateway gets packets before its own tunnels
   *  are up. */
  readonly upAfter: number;
}

/** At most so many probes leave a gateway in a second, however many targets it has. */
export const MAX_PROBES_PER_SECOND = 2000;

/** At 5 % loss each way one probe in ten fails: 8 in a row are one false verdict in 10^8, 3 in a row are several in ten
 *  minutes. The wait for the last echo included, 8 misses at this pace take about 150 ms. */
const NORMAL: Pace = { intervalMs: 50, retryMs: 15, downAfter: 8, upAfter: 20 };

/** On a machine that has too little CPU a tunnel may stand still for a tenth of a second: then a verdict takes 14 misses,
 *  about 260 ms. */
const STRAINED_DOWN_AFTER = 14;

/** paceFor is the pace for a number of targets: above 100 all waits stretch alike. */
export function paceFor(targets: number, strained = false): Pace {
  const stretch = Math.max(1, (targets * 1000) / NORMAL.intervalMs / MAX_PROBES_PER_SECOND);
  return {
    ...NORMAL,
    intervalMs: NORMAL.intervalMs * stretch,
    retryMs: NORMAL.retryMs * stretch,
    downAfter: strained ? STRAINED_DOWN_AFTER : NORMAL.downAfter,
  };
}

/** isStretched reports whether detection takes longer than it should. */
export function isStretched(targets: number): boolean {
  return paceFor(targets).intervalMs > NORMAL.intervalMs;
}

/** Allowance is the hard limit below the pace (a token bucket, times in milliseconds): when many targets miss at once
 *  their retries would exceed it. It holds a tenth of a second's worth. */
export class Allowance {
  readonly #most = MAX_PROBES_PER_SECOND / 10;
  #left = this.#most;
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** take reports whether one more probe may leave now. */
  take(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + ((now - this.#at) * MAX_PROBES_PER_SECOND) / 1000);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** readyAt is when take will say yes. */
  readyAt(now: number): number {
    return now + Math.max(0, ((1 - this.#left) * 1000) / MAX_PROBES_PER_SECOND);
  }
}
