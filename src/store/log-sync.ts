/** LogDisk is the file of the store's log, as far as syncing needs it. */
export interface LogDisk {
  /** sync brings all that was written before the call to the disk, beside other work. */
  sync(done: (error: Error | null) => void): void;
  /** syncNow does the same while everything waits, and throws where it fails. */
  syncNow(): void;
  close(): void;
}

export interface LogSyncParts {
  readonly disk: LogDisk;
  /** Hears of the first sync that failed; there is no later one. */
  readonly failed: (error: unknown) => void;
  /** Called after each sync: all that was written when it began is on the disk. */
  readonly synced: () => void;
}

/** Commits that are not on the disk yet, at most: a disk that is slower holds up the next one. It also bounds how many
 *  a power failure can tear, which the check of a log at the start relies on. */
export const MAX_UNSYNCED = 64;

/** LogSync is group commit. A commit writes to the log and goes on; one fdatasync at a time follows off the main thread
 *  and stands for all commits before it:
 *
 *     written ──(sync begins)──> on its way ──(sync ended)──> durable: those who wait are called
 *
 *  Whoever tells anybody of a commit waits for that. After a failed sync nobody is called any more: the kernel may have
 *  dropped the pages that it could not write, so that a second sync that succeeds proves nothing. */
export class LogSync {
  readonly #parts: LogSyncParts;
  #written = 0;
  #durable = 0;
  #syncing = false;
  #broken = false;
  #waiting: { readonly upTo: number; readonly done: () => void }[] = [];

  constructor(parts: LogSyncParts) {
    this.#parts = parts;
  }

  /** wrote notes a commit that the kernel has taken. */
  wrote(): void {
    this.#written += 1;
    if (this.#written - this.#durable >= MAX_UNSYNCED) this.now();
    else this.#begin();
  }

  /** whenDurable calls back, in the order of the calls, when all commits up to now are on the disk; at once where they
   *  are and nobody waits. */
  whenDurable(done: () => void): void {
    if (this.#durable === this.#written && this.#waiting.length === 0) done();
    else this.#waiting.push({ upTo: this.#written, done });
  }

  /** now brings everything to the disk before it returns. Those who wait are called soon after, and not in here: the
   *  caller may be in the middle of a commit. */
  now(): void {
    if (this.#broken || this.#durable === this.#written) return;
    try {
      this.#parts.disk.syncNow();
    } catch (error) {
      return this.#break(error);
    }
    this.#durable = this.#written;
    queueMicrotask(() => this.#call());
    this.#parts.synced();
  }

  /** Not in the same turn: what else has arrived by then goes with the same sync. */
  #begin(): void {
    if (this.#syncing || this.#broken || this.#durable === this.#written) return;
    this.#syncing = true;
    setImmediate(() => {
      const upTo = this.#written;
      if (this.#broken || this.#durable === upTo) return this.#ended(null, upTo); // somebody could not wait
      this.#parts.disk.sync((error) => this.#ended(error, upTo));
    });
  }

  #ended(error: Error | null, upTo: number): void {
    this.#syncing = false;
    if (this.#broken) return;
    if (error !== null) return this.#break(error);
    this.#durable = Math.max(this.#durable, upTo);
    this.#call();
    this.#parts.synced();
    this.#begin();
  }

  /** The list keeps its entries until all were called, so that whoever asks meanwhile comes behind them. */
  #call(): void {
    let called = 0;
    for (const { upTo, done } of this.#waiting) {
      if (upTo > this.#durable) break;
      called += 1;
      done();
    }
    this.#waiting = this.#waiting.slice(called);
  }

  #break(error: unknown): void {
    this.#broken = true;
    this.#parts.failed(error);
  }
}
