/** From this many queries a second on, a listener rests between batches; below, each query is answered as it comes. */
const BUSY_PER_MS = 15;
/** A batch of at least so many tells of a backlog: no rest then. */
const BACKLOG = 16;
/** REST_US is how long a rest is asked for; the kernel's slack for timers adds about as much again (prctl(2),
 *  PR_SET_TIMERSLACK). */
export const REST_US = 50;
/** The rate is looked at over this time at least, and the clock once in so many batches. */
const WINDOW_MS = 5;
const BATCHES_PER_LOOK = 8;

/** BatchRest tells a listener when to let queries gather. Above some rate the price of a query is the wake-up for it: a
 *  thread that sleeps a tenth of a millisecond, and then takes all that came, answers with two thirds of the CPU time.
 *  It is what network cards call interrupt moderation, and as there it is off while there is little to do. */
export class BatchRest {
  readonly #now: () => number;
  #since = 0;
  #queries = 0;
  #batches = 0;
  #busy = false;

  /** `now` is a clock in milliseconds that never jumps. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** after reports whether to rest after a batch of so many queries. */
  after(count: number): boolean {
    this.#queries += count;
    if (++this.#batches >= BATCHES_PER_LOOK) this.#look();
    return this.#busy && count < BACKLOG;
  }

  #look(): void {
    this.#batches = 0;
    const now = this.#now();
    const elapsed = now - this.#since;
    if (elapsed < WINDOW_MS) return;
    this.#busy = this.#queries >= BUSY_PER_MS * elapsed;
    this.#since = now;
    this.#queries = 0;
  }
}
