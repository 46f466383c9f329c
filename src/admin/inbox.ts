import type { Clock } from "#life";
import type { Desk, DeskChange } from "./desk.ts";

/** Changes that wait for one slow watcher. Beyond it they are forgotten, and read again from the log. */
const MAX_WAITING = 64;

/** Inbox keeps what happened while a watcher was busy. A full one is emptied and says `missed`: the watcher then reads
 *  the log from its cursor, where each record comes once however often it changed. */
export class Inbox {
  readonly #end: () => void;
  #waiting: DeskChange[] = [];
  #missed = false;
  #wake: () => void = () => {};

  constructor(desk: Desk) {
    this.#end = desk.onChange((change) => this.#add(change));
  }

  /** next waits for a change, at most for a span: then it is `quiet`. */
  async next(clock: Clock, span: number, signal: AbortSignal): Promise<DeskChange | "missed" | "quiet"> {
    if (this.#waiting.length === 0 && !this.#missed) await this.#somethingWithin(clock, span, signal);
    if (this.#missed) {
      this.#missed = false;
      return "missed";
    }
    return this.#waiting.shift() ?? "quiet";
  }

  /** close hears of no more changes. */
  close(): void {
    this.#end();
    this.#waiting = [];
  }

  async #somethingWithin(clock: Clock, span: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const come = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    await Promise.race([come, clock.sleep(span, AbortSignal.any([signal, stop.signal])).catch(() => {})]);
    stop.abort();
  }

  #add(change: DeskChange): void {
    if (!this.#missed) this.#waiting.push(change);
    if (this.#waiting.length > MAX_WAITING) {
      this.#waiting = [];
      this.#missed = true;
    }
    this.#wake();
  }
}
