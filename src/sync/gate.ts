/** Logins that are let in at once, and after that one every so many milliseconds: a hundred a second. */
const BURST = 25;
const EVERY_MS = 10;

/** Gate lets a herd in one after the other: each login costs a signature and a first state, and those who are in should
 *  not notice. Whoever comes when nobody waits does not wait either. How many may wait is bounded by the doorstep. */
export class Gate {
  readonly #waiting: (() => void)[] = [];
  #free = BURST;
  #timer: NodeJS.Timeout | null = null;

  /** enter gives what to wait for; undefined where there is nothing to. */
  enter(): Promise<void> | undefined {
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS).unref();
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** A place is for whoever waits longest; unused ones are kept, up to a number, and then the clock may stand still. */
  #tick(): void {
    const next = this.#waiting.shift();
    if (next !== undefined) return next();
    this.#free += 1;
    if (this.#free < BURST || this.#timer === null) return;
    clearInterval(this.#timer);
    this.#timer = null;
  }
}
