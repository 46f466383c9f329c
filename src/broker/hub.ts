import { batchFrames, type Diff, type Link, Outbox } from "#sync";
import type { ClusterId, Millis, NodeName, Revision } from "#values";
import type { Envelope, Latency, Login, RecordKind } from "#wire";
import type { Book, Committed } from "./book.ts";

/** Reader is one gateway's session as the hub keeps it. */
export interface Reader {
  readonly cluster: ClusterId;
  readonly gateway: NodeName;
  readonly login: Pick<Login, "tunnelKey" | "source" | "network">;
  readonly link: Link;
  readonly outbox: Outbox;
  lastSeen: Millis;
  /** Revision that the gateway says it holds. */
  held: Revision | null;
  latency: readonly Latency[];
}

/** Snapshots tell who is who before who says what. */
const RANK: Readonly<Record<RecordKind, number>> = {
  grant: 0,
  member: 1,
  eviction: 2,
  leave: 2,
  gateway: 3,
  head: 4,
  nodes: 5,
  export: 5,
};
/** A reader that lacks more records gets everything from memory: that is sooner made than read from the disk. */
const FAR_BEHIND = 1000;

/** Hub brings every revision to every reader: encoded once, handed to each outbox, waiting for none. */
export class Hub {
  readonly #book: Book;
  readonly #readers = new Set<Reader>();
  /** Commits that are to be told: not in the same turn as they were written, which is long enough by itself. */
  readonly #waiting: Committed[] = [];

  constructor(book: Book) {
    this.#book = book;
    book.onCommit((committed) => {
      if (this.#waiting.push(committed) === 1) setImmediate(() => this.#broadcast());
    });
  }

  readers(): readonly Reader[] {
    return [...this.#readers];
  }

  find(cluster: ClusterId, gateway: NodeName): Reader | undefined {
    for (const reader of this.#readers) if (reader.cluster === cluster && reader.gateway === gateway) return reader;
    return undefined;
  }

  add({ cluster, gateway, tunnelKey, source, network }: Login, link: Link): Reader {
    const { clock, store } = this.#book;
    const log = { revision: () => store.revision(), since: (revision: Revision | null) => this.#since(revision) };
    const outbox = new Outbox(link, log, () => clock.monotonic());
    const login = { tunnelKey, source, network };
    const reader: Reader = { cluster, gateway, login, link, outbox, lastSeen: clock.now(), held: null, latency: [] };
    this.#readers.add(reader);
    return reader;
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** snapshotOf sends a reader everything of the members it asks for: their records did not add up there. */
  snapshotOf({ outbox }: Reader, clusters: readonly ClusterId[]): void {
    const asked = new Set<string>(clusters);
    outbox.insert(() => this.#snapshot((key) => asked.has(key.split("/")[1] ?? "")));
  }

  #broadcast(): void {
    const committed = this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#broadcast());
    if (committed === undefined || this.#readers.size === 0) return;
    const { revision, put, removed } = committed;
    const frames = [...batchFrames({ revision, put, removed, snapshot: false })];
    for (const reader of this.#readers) reader.outbox.offer(frames, revision);
  }

  /** A part of what changed would split records from their head: it is all of it, or a snapshot. */
  #since(revision: Revision | null): Diff {
    const { store } = this.#book;
    const changes = revision === null ? "too-old" : store.changesSince(revision, FAR_BEHIND);
    if (changes === "too-old" || changes.through !== store.revision()) return this.#snapshot(() => true);
    const put = changes.put.map(({ envelope }) => envelope);
    return { revision: changes.through, put, removed: changes.removed, snapshot: false };
  }

  #snapshot(wanted: (key: string) => boolean): Diff {
    const put: Envelope[] = [];
    for (const { envelope } of this.#book.entries.values()) if (wanted(envelope.key)) put.push(envelope);
    return { revision: this.#book.store.revision(), put: inRank(put), removed: [], snapshot: true };
  }
}

function inRank<T extends { readonly key: string }>(envelopes: readonly T[]): readonly T[] {
  const rank = ({ key }: T): number => RANK[key.slice(0, key.indexOf("/")) as RecordKind] ?? 9;
  return envelopes.toSorted((a, b) => rank(a) - rank(b));
}
