import type { Clock } from "#life";
import type { AuditEntry } from "#store";
import { familyOf, type Ip, networkOf } from "#values";
import type { Book } from "./book.ts";

/** A source may be refused so often at once, and once more after each span. */
const BURST = 20;
const PER_MS = 3000;
/** Sources that are told apart; what comes from further ones is counted together. */
const MAX_SOURCES = 4096;
const OTHERS = "others";
/** Sources that one summary names. */
const NAMED = 20;

interface Source {
  tokens: number;
  since: number;
  /** Refusals that left no line of their own since the last summary. */
  leftOut: number;
}

/** Refusals writes refused things to the audit log, each with who, what and why; but nobody can fill the disk by being
 *  refused: beyond a rate per source they are counted, and the count is what is written. */
export class Refusals {
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #sources = new Map<string, Source>();

  constructor(book: Book, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
  }

  /** note writes one refusal of a source, and reports whether it was still below its rate. */
  note(from: string, entry: Omit<AuditEntry, "time" | "outcome">): boolean {
    const source = this.#source(from);
    if (source.tokens < 1) {
      source.leftOut += 1;
      return false;
    }
    source.tokens -= 1;
    this.#write(entry);
    return true;
  }

  /** isSpent reports whether a source is beyond its rate now. */
  isSpent(from: string): boolean {
    return this.#sources.has(from) && this.#source(from).tokens < 1;
  }

  /** summarize writes one line about all that was left out, and forgets sources that have been quiet. */
  summarize(): void {
    const left = [...this.#sources].filter(([, { leftOut }]) => leftOut > 0);
    const total = left.reduce((sum, [, { leftOut }]) => sum + leftOut, 0);
    if (total > 0) {
      const named = left.slice(0, NAMED).map(([from, { leftOut }]) => `${leftOut} of ${from}`);
      const more = left.length > NAMED ? ` and ${left.length - NAMED} further sources` : "";
      const detail = `${total} refusals have no line of their own: ${named.join(", ")}${more}`;
      this.#write({ actor: "broker", action: "summarize", subject: "refusals", detail });
    }
    for (const [from, source] of this.#sources) {
      source.leftOut = 0;
      if (this.#source(from).tokens >= BURST) this.#sources.delete(from);
    }
  }

  #write(entry: Omit<AuditEntry, "time" | "outcome">): void {
    this.#book.commit({ audit: [{ ...entry, time: this.#clock.now(), outcome: "refused" }] });
  }

  /** A token bucket, filled up to now. */
  #source(from: string): Source {
    const now = this.#clock.monotonic();
    const name = this.#sources.has(from) || this.#sources.size < MAX_SOURCES ? from : OTHERS;
    const source = this.#sources.get(name) ?? { tokens: BURST, since: now, leftOut: 0 };
    source.tokens = Math.min(BURST, source.tokens + (now - source.since) / PER_MS);
    source.since = now;
    this.#sources.set(name, source);
    return source;
  }
}

/** strangerAt names the source that an address belongs to: of IPv6 the /64, since whoever has one address of it has
 *  them all. */
export function strangerAt(remote: Ip): string {
  return familyOf(remote) === 6 ? networkOf(remote, 64) : remote;
}
