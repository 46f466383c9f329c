import { closeSync, existsSync, fdatasync, fsyncSync, openSync, readSync, write } from "node:fs";
import type { LogDisk } from "./log-sync.ts";
import { markBytes, type SyncedMark } from "./synced-mark.ts";

/** Where the salts of a log's round are (sqlite.org/fileformat2.html, section 4.1). */
const SALTS_AT = 16;

/** LogFile is SQLite's write-ahead log, opened a second time to be synced. SQLite holds no lock on this file, which
 *  closing a second handle would end (fcntl(2)), and keeps the same file for as long as the database is open. */
export class LogFile implements LogDisk {
  readonly #log: number;
  /** Null where it could not be made, as on a full disk. */
  readonly #mark: number | null;
  readonly #frames: () => number;
  #busy = 0;
  #closing = false;

  /** `frames` tells how many frames the log has now. */
  constructor(path: string, frames: () => number) {
    this.#log = openSync(path, "r");
    this.#mark = openMark(markPath(path));
    this.#frames = frames;
  }

  sync(done: (error: Error | null) => void): void {
    const end = this.#end();
    this.#busy += 1;
    fdatasync(this.#log, (error) => {
      if (error === null) this.#note(end);
      this.#finished();
      done(error);
    });
  }

  syncNow(): void {
    const end = this.#end();
    fsyncSync(this.#log);
    this.#note(end);
  }

  /** A handle that is in use is closed when it no longer is: its number could be another file's by then. */
  close(): void {
    this.#closing = true;
    this.#busy += 1;
    this.#finished();
  }

  #end(): SyncedMark {
    const salts = Buffer.alloc(8);
    readSync(this.#log, salts, 0, salts.length, SALTS_AT);
    return { salts, frames: this.#frames() };
  }

  /** What a mark loses is only knowledge of damage: its own faults are nobody's trouble. */
  #note(end: SyncedMark): void {
    if (this.#mark === null) return;
    this.#busy += 1;
    write(this.#mark, markBytes(end), 0, null, 0, () => this.#finished());
  }

  #finished(): void {
    this.#busy -= 1;
    if (!this.#closing || this.#busy > 0) return;
    closeSync(this.#log);
    if (this.#mark !== null) closeSync(this.#mark);
  }
}

function openMark(path: string): number | null {
  try {
    return openSync(path, "w", 0o600);
  } catch {
    return null;
  }
}

/** resetMark is for the start: what an earlier life has left says nothing of the log that follows, and would make it look
 *  like another store's. It is on the disk before that log is begun. */
export function resetMark(log: string): void {
  if (!existsSync(markPath(log))) return;
  const mark = openSync(markPath(log), "w");
  fsyncSync(mark);
  closeSync(mark);
}

/** markPath is the file beside a log that says how much of it was on the disk. */
export function markPath(log: string): string {
  return `${log}-synced`;
}
