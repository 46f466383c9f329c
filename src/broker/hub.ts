import { setImmediate as nextTurn } from "node:timers/promises";
import { batchFrames, type Diff, type Link, Outbox } from "#sync";
import type { ClusterId, Millis, NodeName, Revision } from "#values";
import { type Catalogue, compareOrder, type Envelope, type Latency, type Login, type RecordKind } from "#wire";
import type { Book, Committed } from "./book.ts";
import { Comparison, type Index } from "./comparison.ts";

/** Reader is one gateway's session as the hub keeps it. */
export interface Reader {
  readonly cluster: ClusterId;
  readonly gateway: NodeName;
  readonly login: Pick<Login, "tunnelKey" | "source" | "network" | "host" | "uid" | "generation">;
  readonly link: Link;
  readonly outbox: Outbox;
  readonly comparison: Comparison;
  /** Whether it has all that it is entitled to: not while a restored store may lack grants. */
  entitled: boolean;
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
/** Changes are told so often at most, several at a time: each telling costs every reader an encryption and a system
 *  call. The first after a rest goes at once. */
const TELL_EVERY_MS = 20;
/** Readers told in one turn of the event loop. */
const READERS_A_TURN = 25;
/** A reader that lacks more records gets everything from memory: that is sooner made than read from the disk. */
const FAR_BEHIND = 1000;

/** Hub brings every revision to every reader: encoded once, handed to each outbox, waiting for none. */
export class Hub {
  readonly #book: Book;
  readonly #readers = new Set<Reader>();
  /** Commits that are to be told: not in the same turn as they were written, which is long enough by itself. */
  #waiting: Committed[] = [];
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(book: Book) {
    this.#book = book;
    book.onCommit((committed) => {
      if (this.#waiting.push(committed) === 1) this.#tellSoon();
    });
  }

  readers(): readonly Reader[] {
    return [...this.#readers];
  }

  find(cluster: ClusterId, gateway: NodeName): Reader | undefined {
    for (const reader of this.#readers) if (reader.cluster === cluster && reader.gateway === gateway) return reader;
    return undefined;
  }

  add(login: Login, link: Link): Reader {
    const { clock, store } = this.#book;
    const { cluster, gateway } = login;
    const comparison = new Comparison(this.#book, cluster);
    const since = (revision: Revision | null): Diff => this.#since(revision, comparison.index());
    const outbox = new Outbox(link, { revision: () => store.revision(), since }, () => clock.monotonic());
    const facts = { entitled: true, lastSeen: clock.now(), held: null, latency: [] };
    const reader: Reader = { cluster, gateway, login, link, outbox, comparison, ...facts };
    this.#readers.add(reader);
    return reader;
  }

  /** complete sends what a gateway should have had at its cursor and has not: after its first state, and seldom. */
  complete({ outbox, comparison, cluster }: Reader, cursor: Revision): void {
    const index = comparison.index();
    if (index === null) return;
    const { catalogue } = this.#book;
    const lacking = new Set<string>();
    for (const key of catalogue.chronicle.keys()) {
      const revision = this.#book.entries.get(key)?.revision ?? cursor;
      if (revision <= cursor && key !== `head/${cluster}` && !isKnown(catalogue, index, key)) lacking.add(key);
    }
    if (lacking.size === 0) return;
    outbox.insert(() => this.#snapshot((key) => lacking.has(key) || lacking.has(`head/${key.split("/")[1]}`)));
  }

  remove(reader: Reader): void {
    this.#readers.delete(reader);
  }

  /** snapshotOf sends a reader everything of the members it asks for: their records did not add up there. */
  snapshotOf({ outbox }: Reader, clusters: readonly ClusterId[]): void {
    const asked = new Set<string>(clusters);
    outbox.insert(() => this.#snapshot((key) => asked.has(key.split("/")[1] ?? "")));
  }

  #tellSoon(): void {
    const wait = this.#toldAt + TELL_EVERY_MS - this.#book.clock.monotonic();
    if (wait > 0) setTimeout(() => void this.#tell(), wait);
    else setImmediate(() => void this.#tell());
  }

  /** Whoever comes meanwhile gets what it lacks by its first state; whoever goes takes nothing more. */
  async #tell(): Promise<void> {
    const told = this.#waiting.length;
    const changes =
      this.#readers.size === 0
        ? []
        : this.#waiting.map(({ revision, put, removed }) => ({
            revision,
            frames: [...batchFrames({ revision, put, removed, snapshot: false })],
          }));
    for (const some of chunks([...this.#readers], READERS_A_TURN)) {
      for (const { outbox } of some) for (const { frames, revision } of changes) outbox.offer(frames, revision);
      await nextTurn();
    }
    this.#waiting = this.#waiting.slice(told);
    this.#toldAt = this.#book.clock.monotonic();
    if (this.#waiting.length > 0) this.#tellSoon();
  }

  /** A part of what changed would split records from their head: it is all of it, or a snapshot. */
  #since(revision: Revision | null, index: Index | null): Diff {
    const { store } = this.#book;
    const changes = revision === null ? "too-old" : store.changesSince(revision, FAR_BEHIND);
    if (changes === "too-old" || changes.through !== store.revision()) {
      return this.#snapshot((key) => !isCovered(this.#book.catalogue, index, key));
    }
    const put = changes.put.map(({ envelope }) => envelope);
    return { revision: changes.through, put, removed: changes.removed, snapshot: false };
  }

  #snapshot(wanted: (key: string) => boolean): Diff {
    const put: Envelope[] = [];
    for (const { envelope } of this.#book.entries.values()) if (wanted(envelope.key)) put.push(envelope);
    return { revision: this.#book.store.revision(), put: inRank(put), removed: [], snapshot: true };
  }
}

function* chunks<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}

/** isKnown reports whether a gateway holds exactly the record of the chronicle that we hold, or a newer one. */
function isKnown({ chronicle }: Catalogue, index: Index, key: string): boolean {
  const mine = chronicle.get(key);
  const theirs = index.get(key);
  if (mine === undefined || theirs === undefined) return false;
  return mine.digest === theirs.digest || compareOrder(theirs.order, mine.order) > 0;
}

/** isCovered: what stands under a head that both know need not be sent, nor the head. Gateways' records are not
 *  compared; there are few. */
function isCovered(catalogue: Catalogue, index: Index | null, key: string): boolean {
  if (index === null) return false;
  const [kind, cluster] = key.split("/");
  if (kind === "gateway") return false;
  return isKnown(catalogue, index, kind === "export" || kind === "nodes" ? `head/${cluster}` : key);
}

function inRank<T extends { readonly key: string }>(envelopes: readonly T[]): readonly T[] {
  const rank = ({ key }: T): number => RANK[key.slice(0, key.indexOf("/")) as RecordKind] ?? 9;
  return envelopes.toSorted((a, b) => rank(a) - rank(b));
}
