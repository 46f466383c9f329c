import { backoffMs, type Clock, isAbort, Latest, type Room } from "#life";

/** Outcome of the work on a key: done, or again after so many milliseconds; `failed` counts towards the back-off. */
export type Outcome =
  | { readonly kind: "done" }
  | { readonly kind: "again"; readonly afterMs: number }
  | { readonly kind: "failed"; readonly afterMs: number };

export interface KeyedQueueOptions {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  /** Keys that are worked on at a time. */
  readonly workers: number;
  readonly work: (key: string, signal: AbortSignal) => Promise<Outcome>;
}

const BACKOFF = { firstMs: 200, maxMs: 30_000, jitter: 0.3 };

/** KeyedQueue does the work that keys ask for: each by one worker at a time, and once for however often it was asked. */
export class KeyedQueue implements Room {
  readonly name: string;
  readonly #options: KeyedQueueOptions;
  readonly #ready = new Set<string>();
  /** When keys are due, monotonic. */
  readonly #later = new Map<string, number>();
  readonly #busy = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #wake = new Latest(0);

  constructor(options: KeyedQueueOptions) {
    this.name = options.name;
    this.#options = options;
  }

  /** size is the number of keys that are not done. */
  get size(): number {
    return this.#ready.size + this.#later.size + this.#busy.size;
  }

  /** add asks for a key at once; one that failed waits all the same. */
  add(key: string): void {
    if (this.#failures.has(key) && this.#later.has(key)) return;
    this.#later.delete(key);
    this.#ready.add(key);
    this.#wake.set(this.#wake.value + 1);
  }

  /** hurry has everything that failed tried again at once: what made it fail is over. */
  hurry(): void {
    for (const key of this.#failures.keys()) if (this.#later.delete(key)) this.#ready.add(key);
    this.#failures.clear();
    this.#wake.set(this.#wake.value + 1);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { workers } = this.#options;
    await Promise.all(Array.from({ length: workers }, (_, at) => this.#worker(at === 0, signal)));
  }

  /** The first worker also looks when what waits is due. */
  async #worker(first: boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const changed = this.#wake.changed();
      const wait = this.#due();
      const key = this.#take();
      if (key !== undefined) await this.#do(key, signal);
      else await this.#rest(changed, first ? wait : Number.POSITIVE_INFINITY, signal);
    }
  }

  /** A key that is being worked on waits for its end: it may have changed in between. */
  #take(): string | undefined {
    for (const key of this.#ready) {
      if (this.#busy.has(key)) continue;
      this.#ready.delete(key);
      this.#busy.add(key);
      return key;
    }
    return undefined;
  }

  #due(): number {
    const now = this.#options.clock.monotonic();
    let least = Number.POSITIVE_INFINITY;
    for (const [key, at] of this.#later) {
      if (at > now) least = Math.min(least, at - now);
      else if (this.#later.delete(key)) this.#ready.add(key);
    }
    return least;
  }

  async #do(key: string, signal: AbortSignal): Promise<void> {
    const { work, clock, random } = this.#options;
    try {
      const outcome = await work(key, signal);
      if (outcome.kind === "done") this.#failures.delete(key);
      else {
        const failures = this.#failures.get(key) ?? 0;
        const failed = outcome.kind === "failed";
        if (failed) this.#failures.set(key, failures + 1);
        const wait = Math.max(outcome.afterMs, failed ? backoffMs(failures, random, BACKOFF) : 0);
        if (failed || !this.#ready.has(key)) this.#later.set(key, clock.monotonic() + wait);
        if (failed) this.#ready.delete(key);
      }
    } finally {
      this.#busy.delete(key);
    }
    this.#wake.set(this.#wake.value + 1);
  }

  async #rest(changed: Promise<void>, waitMs: number, signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const span = Math.min(waitMs, 600_000) + 1;
    const slept = this.#options.clock.sleep(span, both).catch((reason: unknown) => {
      if (!isAbort(reason)) throw reason;
    });
    await Promise.race([changed, slept]);
    stop.abort();
    await slept;
  }
}
