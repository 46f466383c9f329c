import { type Allocation, type Ipam, reconcile } from "#ipam";
import type { Clock, Log } from "#life";
import { type AuditEntry, type Change, RECOVERING, type Speaker, type Store, type StoreFault } from "#store";
import { type ClusterId, err, ok, type Result, type Revision } from "#values";
import { type Applied, type Candidate, Catalogue, type Envelope, examine, type GrantEntry, parseKey } from "#wire";
import type { Authority } from "./authority.ts";
import { grantedIn } from "./granted-in.ts";

/** Numbers of grants that one generation of the store can use. */
const GRANTS_A_GENERATION = 1_000_000_000;

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

export interface BookParts {
  readonly store: Store;
  readonly ipam: Ipam;
  readonly authority: Authority;
  readonly clock: Clock;
  readonly log: Log;
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
  readonly #speakers = new Map<ClusterId, Speaker>();
  /** Bytes of the records of each cluster. */
  readonly #bytes = new Map<string, number>();
  catalogue = new Catalogue();
  /** Live records in the order of their revisions. */
  readonly entries = new Map<string, Entry>();
  /** Resolves with the reason when the disk has failed for good. */
  readonly failed: Promise<string>;
  readonly #fail: (reason: string) => void;
  #diskFull = false;
  #nextGrant = 1;
  /** While a restored store may lack grants: nobody is granted anything then (see Recovery). */
  recovering = false;

  constructor({ store, ipam, authority, clock, log }: BookParts) {
    this.store = store;
    this.ipam = ipam;
    this.authority = authority;
    this.clock = clock;
    this.#log = log;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.failed = promise;
    this.#fail = resolve;
    void store.failed.then(({ message }) => resolve(message));
    this.reload();
  }

  /** reload makes memory equal to the disk: at start, and when the disk refused what memory had taken. */
  reload(): void {
    this.catalogue = new Catalogue();
    for (const map of [this.entries, this.#speakers, this.#bytes]) map.clear();
    this.ipam.load(this.store.allocations());
    this.recovering = this.store.meta(RECOVERING) !== null;
    // What a lost part of the log granted must not be granted again under the same number.
    this.#nextGrant = Math.max(this.#nextGrant, (this.store.generation - 1) * GRANTS_A_GENERATION + 1);
    for (const speaker of this.store.speakers()) this.#speakers.set(speaker.cluster, speaker);
    const candidates: Candidate[] = [];
    for (const { envelope, revision } of [...this.store.records()].sort((a, b) => a.revision - b.revision)) {
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

  /** speakerOf says which gateway speaks for a cluster, and under which epoch. */
  speakerOf(cluster: ClusterId): Speaker | undefined {
    return this.#speakers.get(cluster);
  }

  /** bytesOf is the size of all records that are a cluster's. */
  bytesOf(cluster: ClusterId): number {
    return this.#bytes.get(cluster) ?? 0;
  }

  /** commit is the only way to the disk. It changes nothing that members hear of: for that are write and accept. */
  commit(change: Change): Result<Revision, StoreFault> {
    const committed = this.store.commit(change);
    this.#diskFull = !committed.ok && committed.error.code === "disk-full";
    if (!committed.ok && committed.error.code === "io") this.#fail(committed.error.message);
    if (committed.ok) for (const speaker of change.speakers ?? []) this.#speakers.set(speaker.cluster, speaker);
    return committed;
  }

  /** settled resolves when all that was decided up to now is on the disk: nobody is told of it before. */
  settled(): Promise<void> {
    return new Promise((resolve) => this.store.whenDurable(resolve));
  }

  /** writable asks a disk that was full whether it still is, before anything is taken that would have to be undone. */
  writable(): Result<void, StoreFault> {
    if (!this.#diskFull) return ok(undefined);
    const tried = this.commit({ meta: { "last-full": String(this.clock.now()) } });
    return tried.ok ? ok(undefined) : tried;
  }

  /** write commits records of the broker's own. On a fault nothing has changed, in memory or on disk. */
  write(write: Write): Result<Revision, StoreFault> {
    const { records = [], grants = [], allocations = [], forget = [], remove = [], ...rest } = write;
    const put = [...this.authority.grants(grants, this.#nextGrant), ...records];
    const candidates = put.map((envelope) => this.#trusted(envelope));
    const prefixes = { put: allocations, forget: forget.map(({ prefix }) => prefix) };
    const committed = this.commit({ ...rest, put, remove, allocations: prefixes });
    if (!committed.ok) return committed;
    const applied = this.catalogue.apply(candidates);
    for (const refusal of applied.refusals) this.#log.error("own record refused", { ...refusal });
    this.ipam.apply(allocations);
    this.ipam.forget(forget);
    this.#settle(committed.value, put, remove);
    return committed;
  }

  /** learn takes what members hold and this store does not, verified: records of any owner, the heads with all that
   *  stands under them. The table of allocations follows what turns out to be granted. */
  learn(candidates: readonly Candidate[], audit: readonly AuditEntry[]): Result<Applied, StoreFault> {
    const applied = this.catalogue.apply(candidates, [], true);
    if (applied.accepted.length === 0) return ok(applied);
    const { put, forget } = reconcile(this.ipam.list(), grantedIn(this.catalogue), this.clock.now());
    const gone = [...applied.members].filter((cluster) => this.catalogue.members.get(cluster)?.gone !== null);
    const speakers = gone.flatMap((cluster) => this.#speakers.get(cluster) ?? []).map((s) => ({ ...s, gateway: null }));
    const committed = this.commit({
      put: applied.accepted,
      remove: applied.removed,
      allocations: { put, forget },
      speakers,
      audit,
    });
    if (!committed.ok) {
      this.reload();
      return committed;
    }
    this.ipam.load(this.store.allocations());
    this.#settle(committed.value, applied.accepted, applied.removed);
    return ok(applied);
  }

  /** rebase replaces all grants by a base that was signed meanwhile; undefined where others came in between. */
  rebase(base: readonly Candidate[], first: number): Result<Revision, StoreFault> | undefined {
    if (first !== this.#nextGrant) return undefined;
    const put = base.map(({ envelope }) => envelope);
    const remove = [...this.entries.keys()].filter((key) => key.startsWith("grant/"));
    const committed = this.commit({ put, remove });
    if (!committed.ok) return committed;
    for (const refusal of this.catalogue.apply(base).refusals) this.#log.error("own record refused", { ...refusal });
    this.#settle(committed.value, put, remove);
    return committed;
  }

  /** The number that the next grant will have. */
  get nextGrant(): number {
    return this.#nextGrant;
  }

  /** accept takes a member's records that the catalogue has already verified and applied, with what the broker grants
   *  because of them. If the disk refuses, memory goes back to what the disk has. */
  accept(applied: Applied, { grants = [], allocations = [], ...rest }: Write): Result<Revision, StoreFault> {
    const sealed = this.authority.grants(grants, this.#nextGrant);
    const put = [...sealed, ...applied.accepted];
    const prefixes = { put: allocations, forget: [] };
    const committed = this.commit({ ...rest, put, remove: applied.removed, allocations: prefixes });
    if (!committed.ok) {
      this.reload();
      return err(committed.error);
    }
    this.catalogue.apply(sealed.map((envelope) => this.#trusted(envelope)));
    this.ipam.apply(allocations);
    this.#settle(committed.value, put, applied.removed);
    return ok(committed.value);
  }

  /** keysOf are the records that go when a cluster leaves or is evicted: all but the proof of its membership. */
  keysOf(cluster: string): readonly string[] {
    const kinds = new Set(["head", "gateway", "export", "nodes"]);
    return [...this.entries.keys()].filter((key) => {
      const [kind = "", owner] = key.split("/");
      return owner === cluster && kinds.has(kind);
    });
  }

  #settle(revision: Revision, put: readonly Envelope[], removed: readonly string[]): void {
    for (const key of removed) this.#drop(key);
    for (const envelope of put) this.#remember(envelope, revision);
    if (put.length === 0 && removed.length === 0) return;
    for (const listener of this.#listeners) listener({ revision, put, removed });
  }

  #remember(envelope: Envelope, revision: Revision): void {
    this.#drop(envelope.key); // re-insertion keeps the map in the order of revisions
    this.entries.set(envelope.key, { envelope, revision });
    this.#count(envelope, 1);
    const key = parseKey(envelope.key);
    if (key.ok && key.value.kind === "grant") this.#nextGrant = Math.max(this.#nextGrant, key.value.number + 1);
  }

  #drop(key: string): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.#count(entry.envelope, -1);
    this.entries.delete(key);
  }

  #count({ key, body }: Envelope, sign: 1 | -1): void {
    const [kind, owner = ""] = key.split("/");
    if (kind === "grant") return; // which is followed by a number, not by a cluster
    this.#bytes.set(owner, (this.#bytes.get(owner) ?? 0) + sign * body.length);
  }

  #trusted(envelope: Envelope): Candidate {
    const candidate = examine(envelope, this.authority.verifier);
    if (!candidate.ok) throw new Error(`the broker made a wrong record: ${candidate.error}`);
    return candidate.value;
  }
}
