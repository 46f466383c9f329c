/** From this many queries a millisecond on, a listener rests between batches; below, each is answered as it comes. */
const BUSY_PER_MS = 15;
/** Queries that a rest waits for, and how long it lasts at most, in microseconds. */
const GATHERED = 12;
const LONGEST_US = 300;
/** The kernel ends a sleep up to so many microseconds late (prctl(2), PR_SET_TIMERSLACK). */
const SLACK_US = 50;
/** A batch of more than is waited for tells of a backlog: no rest then. */
const BACKLOG = 2 * GATHERED;
/** The rate is looked at over this time at least, and the clock once in so many batches. */
const WINDOW_MS = 5;
const BATCHES_PER_LOOK = 8;

/** BatchRest tells a listener how long to let queries gather. Above some rate the price of a query is the wake-up for
 *  it: a thread that sleeps a fraction of a millisecond, and then takes all that came, answers with two thirds of the CPU
 *  time. It is what network cards call interrupt moderation, and as there it is off while there is little to do. */
export class BatchRest {
  readonly #now: () => number;
  #since = 0;
  #queries = 0;
  #batches = 0;
  #restUs = 0;

  /** `now` is a clock in milliseconds that never jumps. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** after gives the microseconds to rest after a batch of so many queries; 0: none. */
  after(count: number): number {
    this.#queries += count;
    if (++this.#batches >= BATCHES_PER_LOOK) this.#look();
    return count > BACKLOG ? 0 : this.#restUs;
  }

  /** look decides anew, from the rate since it last did. */
  #look(): void {
    this.#batches = 0;
    const now = this.#now();
    const elapsed = now - this.#since;
    if (elapsed < WINDOW_MS) return;
    const perMs = this.#queries / elapsed;
    const restUs = Math.round(Math.min(LONGEST_US, (GATHERED * 1000) / perMs)) - SLACK_US;
    // Where so many come by themselves before a sleep could end, there is nothing to wait for.
    this.#restUs = perMs < BUSY_PER_MS || restUs < SLACK_US ? 0 : restUs;
    this.#since = now;
    this.#queries = 0;
  }
}
