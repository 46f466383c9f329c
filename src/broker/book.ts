import type { Allocation, Ipam } from "#ipam";
import type { Clock, Log } from "#life";
import type { Change, Store, StoreFault } from "#store";
import { ok, type Result, type Revision } from "#values";
import { type Applied, type Candidate, Catalogue, type Envelope, examine, type GrantEntry, parseKey } from "#wire";
import type { Authority } from "./authority.ts";

export interface Entry {
  readonly envelope: Envelope;
  readonly revision: Revision;
}

/** Committed is one accepted transaction, as readers of the log see it. */
export interface Committed {
  readonly revision: Revision;
  readonly put: readonly Envelope[];
  readonly removed: readonly string[];
}

/** Write is one transaction of the broker: records it signs, allocations, and whatever the store keeps beside them. */
export interface Write extends Omit<Change, "put" | "remove" | "allocations"> {
  readonly records?: readonly Envelope[];
  readonly grants?: readonly GrantEntry[];
  readonly allocations?: readonly Allocation[];
  readonly forget?: readonly Allocation[];
  /** Keys that go with this: what a cluster that is put out had published. */
  readonly remove?: readonly string[];
}

/** Book is what the broker knows: the store on disk, and the same as a catalogue, an allocation tree and a map of
 *  records in memory. Every change goes to the disk first; memory follows, and then those who listen. */
export class Book {
  readonly store: Store;
  readonly ipam: Ipam;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<(committed: Committed) => void>();
  catalogue = new Catalogue();
  /** Live records in the order of their revisions. */
  readonly entries = new Map<string, Entry>();
  /** Resolves with the reason when the disk has failed for good. */
  readonly failed: Promise<string>;
  readonly #fail: (reason: string) => void;
  #nextGrant = 1;

  constructor(parts: { store: Store; ipam: Ipam; authority: Authority; clock: Clock; log: Log }) {
    this.store = parts.store;
    this.ipam = parts.ipam;
    this.authority = parts.authority;
    this.clock = parts.clock;
    this.#log = parts.log;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
    this.reload();
  }

  /** reload makes memory equal to the disk: at start, and when the disk refused what memory had taken. */
  reload(): void {
    this.catalogue = new Catalogue();
    this.entries.clear();
    this.ipam.load(this.store.allocations());
    const candidates: Candidate[] = [];
    for (const { envelope, revision } of this.store.records()) {
      this.#remember(envelope, revision);
      const candidate = examine(envelope, this.authority.verifier);
      if (candidate.ok) candidates.push(candidate.value);
      else this.#log.error("a record in the store is wrong", { reason: candidate.error });
    }
    const { refusals } = this.catalogue.apply(candidates, [], true);
    for (const refusal of refusals) this.#log.error("a record in the store is not believed", { ...refusal });
  }

  onCommit(listener: (committed: Committed) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** write commits records of the broker's own. On a fault nothing has changed, in memory or on disk. */
  write(write: Write): Result<Revision, StoreFault> {
    const { records = [], grants = [], allocations = [], forget = [], remove = [], ...rest } = write;
    const put = [...this.authority.grants(grants, this.#nextGrant), ...records];
    const candidates = put.map((envelope) => this.#trusted(envelope));
    const prefixes = { put: allocations, forget: forget.map(({ prefix }) => prefix) };
    const committed = this.store.commit({ ...rest, put, remove, allocations: prefixes });
    if (!committed.ok) return this.#refused(committed);
    const applied = this.catalogue.apply(candidates);
    for (const refusal of applied.refusals) this.#log.error("own record refused", { ...refusal });
    this.ipam.apply(allocations);
    this.ipam.forget(forget);
    this.#settle(committed.value, put, remove);
    return committed;
  }

  /** accept takes a member's records that the catalogue has already verified and applied, with what the broker grants
   *  because of them. If the disk refuses, memory goes back to what the disk has. */
  accept(applied: Applied, { grants = [], allocations = [], ...rest }: Write): Result<Revision, StoreFault> {
    const sealed = this.authority.grants(grants, this.#nextGrant);
    const put = [...sealed, ...applied.accepted];
    const committed = this.store.commit({
      ...rest,
      put,
      remove: applied.removed,
      allocations: { put: allocations, forget: [] },
    });
    if (!committed.ok) {
      this.reload();
      return this.#refused(committed);
    }
    this.catalogue.apply(sealed.map((envelope) => this.#trusted(envelope)));
    this.ipam.apply(allocations);
    this.#settle(committed.value, put, applied.removed);
    return ok(committed.value);
  }

  #settle(revision: Revision, put: readonly Envelope[], removed: readonly string[]): void {
    for (const key of removed) this.entries.delete(key);
    for (const envelope of put) this.#remember(envelope, revision);
    if (put.length === 0 && removed.length === 0) return;
    for (const listener of this.#listeners) listener({ revision, put, removed });
  }

  /** keysOf are the records that go when a cluster leaves or is evicted: all but the proof of its membership. */
  keysOf(cluster: string): readonly string[] {
    const kinds = new Set(["head", "gateway", "export", "nodes"]);
    return [...this.entries.keys()].filter((key) => {
      const [kind = "", owner] = key.split("/");
      return owner === cluster && kinds.has(kind);
    });
  }

  #refused(fault: Result<Revision, StoreFault>): Result<Revision, StoreFault> {
    if (!fault.ok && fault.error.code === "io") this.#fail(fault.error.message);
    return fault;
  }

  #remember(envelope: Envelope, revision: Revision): void {
    this.entries.delete(envelope.key); // re-insertion keeps the map in the order of revisions
    this.entries.set(envelope.key, { envelope, revision });
    const key = parseKey(envelope.key);
    if (key.ok && key.value.kind === "grant") this.#nextGrant = Math.max(this.#nextGrant, key.value.number + 1);
  }

  #trusted(envelope: Envelope): Candidate {
    const candidate = examine(envelope, this.authority.verifier);
    if (!candidate.ok) throw new Error(`the broker made a wrong record: ${candidate.error}`);
    return candidate.value;
  }
}
