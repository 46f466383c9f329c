import type { Clock } from "#life";
import type { ClusterId, NodeName } from "#values";
import type { Book } from "./book.ts";
import type { Hub } from "./hub.ts";

/** A gateway that was away for so long is taken out by its member's speaker: its index is free again. */
const SILENT_MS = 24 * 3_600_000;
/** How long gateways have been away is on the disk that often: a broker that restarts begins nowhere near zero. */
const SAVE_MS = 600_000;
const META = "silent";

/** Presence counts how long each gateway that was granted an index has been away, by the monotonic clock: a wall clock
 *  that jumps takes nobody out, and time in which the broker did not run does not count. */
export class Presence {
  readonly #book: Book;
  readonly #hub: Hub;
  readonly #clock: Clock;
  #silentMs: Map<string, number>;
  #lookedAt: number;
  #savedAt: number;

  constructor(book: Book, hub: Hub, clock: Clock) {
    this.#book = book;
    this.#hub = hub;
    this.#clock = clock;
    this.#silentMs = new Map(Object.entries(JSON.parse(book.store.meta(META) ?? "{}") as Record<string, number>));
    this.#lookedAt = clock.monotonic();
    this.#savedAt = this.#lookedAt;
  }

  /** look counts on, and tells each speaker which of its siblings are gone for good. */
  look(): void {
    const now = this.#clock.monotonic();
    const silent = new Map<string, number>();
    for (const { cluster, gateways } of this.#book.catalogue.ledger.holdings()) {
      for (const { name } of gateways) {
        if (this.#hub.find(cluster, name) !== undefined) continue;
        const key = `${cluster}/${name}`;
        silent.set(key, (this.#silentMs.get(key) ?? 0) + now - this.#lookedAt);
      }
      this.#tell(cluster, gateways, silent);
    }
    this.#silentMs = silent;
    this.#lookedAt = now;
    if (now - this.#savedAt >= SAVE_MS) this.#save(now);
  }

  /** isSilent reports whether a gateway was away for so long that its speaker may take it out. */
  isSilent(cluster: ClusterId, name: NodeName): boolean {
    return (this.#silentMs.get(`${cluster}/${name}`) ?? 0) >= SILENT_MS && this.#hub.find(cluster, name) === undefined;
  }

  #tell(cluster: ClusterId, all: readonly { readonly name: NodeName }[], silent: ReadonlyMap<string, number>): void {
    const gone = all.filter(({ name }) => (silent.get(`${cluster}/${name}`) ?? 0) >= SILENT_MS).map(({ name }) => name);
    const speaker = gone.length === 0 ? null : (this.#book.speakerOf(cluster)?.gateway ?? null);
    const reader = speaker === null ? undefined : this.#hub.find(cluster, speaker);
    if (reader?.link.features.includes("chronicle")) reader.link.tell({ t: "silent", gateways: gone });
  }

  #save(now: number): void {
    const text = JSON.stringify(Object.fromEntries(this.#silentMs));
    if (text === (this.#book.store.meta(META) ?? "{}")) return;
    if (this.#book.commit({ meta: { [META]: text } }).ok) this.#savedAt = now;
  }
}
