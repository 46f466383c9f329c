import type { Clock } from "#life";
import { type ServiceEntry, sameEntry } from "./service-entry.ts";

/** What was in a service table stays that long after its name is gone from DNS: twice the zone's TTL. */
export const WITHDRAW_MS = 10_000;

interface Withdrawn {
  readonly entry: ServiceEntry;
  readonly until: number;
}

/** EntryTable is what a service table is to hold. What is withdrawn stays a while longer: clients may remember its
 *  address. Keys are serviceKeys. */
export class EntryTable {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #lingerMs: number;
  readonly #entries = new Map<string, ServiceEntry>();
  readonly #withdrawn = new Map<string, Withdrawn>();
  #changed: Set<string> | undefined;

  constructor(clock: Pick<Clock, "monotonic">, lingerMs: number) {
    this.#clock = clock;
    this.#lingerMs = lingerMs;
  }

  get entries(): ReadonlyMap<string, ServiceEntry> {
    return this.#entries;
  }

  put(key: string, entry: ServiceEntry): void {
    this.#withdrawn.delete(key);
    const known = this.#entries.get(key);
    if (known !== undefined && sameEntry(known, entry)) return;
    this.#entries.set(key, entry);
    this.#changed?.add(key);
  }

  /** retire withdraws entries; put in the meantime has one stay. */
  retire(keys: readonly string[]): void {
    const until = this.#clock.monotonic() + this.#lingerMs;
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry !== undefined && !this.#withdrawn.has(key)) this.#withdrawn.set(key, { entry, until });
    }
  }

  /** expire takes out what was withdrawn long enough ago. */
  expire(): void {
    const now = this.#clock.monotonic();
    for (const [key, { until }] of this.#withdrawn) {
      if (until > now) continue;
      this.#withdrawn.delete(key);
      this.#entries.delete(key);
      this.#changed?.add(key);
    }
  }

  /** nextAt is when, monotonic, something has to be taken out; infinity where nothing has. */
  nextAt(): number {
    return [...this.#withdrawn.values()].reduce((least, { until }) => Math.min(least, until), Number.POSITIVE_INFINITY);
  }

  /** takeChanged gives the keys of what was changed since it was last asked; undefined the first time: all may be. Who
   *  cannot apply them compares all. */
  takeChanged(): ReadonlySet<string> | undefined {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }
}
