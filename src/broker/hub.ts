import { batchFrames, type Diff, type Link, Outbox } from "#sync";
import type { ClusterId, Millis, NodeName, Revision } from "#values";
import type { Latency, RecordKind } from "#wire";
import type { Book, Committed } from "./book.ts";

/** Reader is one gateway's session as the hub keeps it. */
export interface Reader {
  readonly cluster: ClusterId;
  readonly gateway: NodeName;
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

/** Hub brings every revision to every reader: encoded once, handed to each outbox, waiting for none. */
export class Hub {
  readonly #book: Book;
  readonly #readers = new Set<Reader>();

  constructor(book: Book) {
    this.#book = book;
    book.onCommit((committed) => this.#broadcast(committed));
  }

  readers(): readonly Reader[] {
    return [...this.#readers];
  }

  find(cluster: ClusterId, gateway: NodeName): Reader | undefined {
    return this.readers().find((reader) => reader.cluster === cluster && reader.gateway === gateway);
  }

  add(cluster: ClusterId, gateway: NodeName, link: Link): Reader {
    const { clock } = this.#book;
    const outbox = new Outbox(
      link,
      (since) => this.#diff(since),
      () => clock.monotonic(),
    );
    const reader: Reader = { cluster, gateway, link, outbox, lastSeen: clock.now(), held: null, latency: [] };
    this.#readers.add(reader);
    return reader;
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** snapshotOf sends a reader everything of the members it asks for: their records did not add up there. */
  snapshotOf(reader: Reader, clusters: readonly ClusterId[]): void {
    const asked = new Set<string>(clusters);
    const put = [...this.#book.entries.values()]
      .map(({ envelope }) => envelope)
      .filter(({ key }) => asked.has(key.split("/")[1] ?? ""));
    const revision = this.#book.store.revision();
    for (const frame of batchFrames({ revision, put: inRank(put), removed: [], snapshot: true }))
      reader.link.send(frame, () => {});
  }

  #broadcast({ revision, put, removed }: Committed): void {
    const frames = [...batchFrames({ revision, put, removed, snapshot: false })];
    for (const reader of this.#readers) reader.outbox.offer(frames, revision);
  }

  #diff(since: Revision | null): Diff {
    const revision = this.#book.store.revision();
    const changes = since === null ? "too-old" : this.#book.store.changesSince(since);
    if (changes !== "too-old") {
      return { revision, put: changes.put.map(({ envelope }) => envelope), removed: changes.removed, snapshot: false };
    }
    const all = [...this.#book.entries.values()].map(({ envelope }) => envelope);
    return { revision, put: inRank(all), removed: [], snapshot: true };
  }
}

function inRank<T extends { readonly key: string }>(envelopes: T[]): T[] {
  const rank = ({ key }: T): number => RANK[key.slice(0, key.indexOf("/")) as RecordKind] ?? 9;
  return envelopes.sort((a, b) => rank(a) - rank(b));
}
