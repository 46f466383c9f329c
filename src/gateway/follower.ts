import type { KeyObject } from "node:crypto";
import { type Log, slices, type Troubles } from "#life";
import type { ClusterId } from "#values";
import {
  type Applied,
  type Batch,
  type Candidate,
  Catalogue,
  type Cursor,
  compareOrder,
  type Envelope,
  examine,
} from "#wire";
import { type Cache, type CacheChange, mergeChanges } from "./cache.ts";
import { RefusedRecords } from "./refused-records.ts";

export interface FollowerParts {
  readonly own: ClusterId;
  readonly cache: Cache;
  /** The broker's allocation key, once it is known. */
  readonly verifier: () => KeyObject;
  readonly log: Log;
  readonly troubles: Troubles;
}

/** What one state or change may come to, in all its frames: far beyond what all members may publish together in a
 *  clusterset that fits into memory, and bounded all the same. */
const MOST_BYTES = 192 << 20;
const WITHHELD = "broker-withholds";
/** Refusals that no accident explains. */
const LIES: ReadonlySet<string> = new Set(["overlap", "key-swap", "equivocation", "out-of-bounds"]);

/** Follower keeps the catalogue: from the disk at start, then from the broker batch by batch, and from this gateway's
 *  own speaker. What it believes is on the disk before anybody hears of it. */
export class Follower {
  readonly catalogue = new Catalogue();
  readonly #parts: FollowerParts;
  readonly #refused: RefusedRecords;
  readonly #listeners: ((applied: Applied) => void)[] = [];
  /** Body texts of our own records: what the speaker compares with, and sends again. */
  readonly ownBodies = new Map<string, string>();
  cursor: Cursor | null = null;
  /** Whether the whole state was seen once: from the disk, or from the broker. */
  synced = false;
  #store: Cursor["store"] | null = null;
  /** Whether the next state is the first of a session, which says everything where it is a snapshot. */
  #first = false;
  #part: {
    readonly candidates: Candidate[];
    readonly removed: string[];
    readonly own: Envelope[];
    bytes: number;
  } | null = null;
  /** A snapshot of our own cluster, as the broker has it. */
  onOwnSnapshot: (records: readonly Envelope[]) => void = () => {};
  /** Members whose records did not add up. */
  onMismatch: (clusters: readonly ClusterId[]) => void = () => {};
  /** The epoch under which our own speaker speaks; null while it does not. */
  ownEpoch: () => number | null = () => null;
  /** Members whose snapshot is awaited: until it came the cursor stays, so that no restart forgets to ask for it. */
  readonly #unsettled = new Set<ClusterId>();
  /** How many records were not believed, by the reason. */
  readonly refused = new Map<string, number>();
  /** Keys of which the broker said something older than is held, until it says that again. */
  readonly #stale = new Set<string>();
  /** What the disk did not take: it goes along with the next write. */
  #owed: CacheChange | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(parts: FollowerParts) {
    this.#parts = parts;
    this.#refused = new RefusedRecords(parts.troubles);
  }

  onApplied(listener: (applied: Applied) => void): void {
    this.#listeners.push(listener);
  }

  /** load reads the disk: what was learned before serves at once. */
  async load(): Promise<void> {
    const { cache, log } = this.#parts;
    const candidates = await this.#examine(cache.records());
    const { cursor, damaged } = cache.loaded();
    if (damaged > 0) log.warn("damaged records were dropped from the cache", { damaged });
    const applied = await this.#apply(candidates, [], true);
    for (const { key, body } of applied.accepted) this.#keepOwn(key, body);
    // An overlap was refused when it came, too: that nothing is missing does not depend on it.
    const whole = damaged === 0 && applied.refusals.every(({ code }) => code === "overlap");
    this.cursor = whole ? cursor : null;
    this.synced = cursor !== null && whole;
    this.#tell(applied);
  }

  /** welcomed notes whose revisions follow. */
  welcomed(store: Cursor["store"]): void {
    this.#store = store;
    this.#part = null;
    this.#first = true;
    if (this.cursor !== null && this.cursor.store !== store) this.cursor = null;
  }

  /** batch takes one frame; the records of several frames are applied as one when the last has come. */
  batch(batch: Batch): Promise<void> {
    return this.#alone(() => this.#batch(batch));
  }

  /** askAgain asks for members whose records still do not add up. */
  askAgain(): void {
    if (this.#unsettled.size > 0) this.onMismatch([...this.#unsettled]);
  }

  /** own applies what this gateway says itself. Gives what happened, once it is on the disk. */
  own(stated: readonly Candidate[], removed: readonly string[]): Promise<Applied> {
    return this.#alone(async () => {
      const applied = await this.#apply(stated, removed, false);
      await this.#keep(applied);
      return applied;
    });
  }

  /** end takes the record that the broker refuses a session with: why it does, in words that are signed. */
  end(record: Envelope): Promise<Applied> {
    return this.#alone(async () => {
      const applied = await this.#apply(await this.#examine([record]), [], false);
      await this.#keep(applied);
      return applied;
    });
  }

  async #batch({ put, remove, snapshot, more, revision }: Batch): Promise<void> {
    this.#part ??= { candidates: [], removed: [], own: [], bytes: 0 };
    const part = this.#part;
    for (const { key, body } of put) part.bytes += key.length + body.length;
    for (const key of remove) part.bytes += key.length;
    if (part.bytes > MOST_BYTES) {
      this.#part = null;
      throw new Error(`the broker sends more than ${MOST_BYTES >> 20} MiB without an end`); // which ends the session
    }
    // What we hold already (our own records on their way back, mostly) need not be looked at, except in a snapshot:
    // there absence means something.
    for (const envelope of this.#stale.size === 0 ? [] : put) this.#forgive(envelope);
    const news = snapshot ? put : put.filter((envelope) => !this.#holds(envelope));
    part.candidates.push(...(await this.#examine(news.filter((envelope) => !this.#isEcho(envelope)))));
    part.removed.push(...remove);
    if (snapshot) part.own.push(...put.filter(({ key }) => key.split("/")[1] === this.#parts.own));
    if (more) return;
    this.#part = null;
    this.#compareMembers(part.candidates, this.#first && snapshot);
    this.#first = false;
    const applied = await this.#apply(part.candidates, part.removed, snapshot);
    this.#settle(applied);
    const whole = this.#unsettled.size === 0;
    const cursor = this.#store !== null && whole ? { store: this.#store, revision } : undefined;
    await this.#keep(applied, cursor);
    if (cursor !== undefined) this.cursor = cursor;
    this.synced = true;
    if (snapshot && applied.refusals.length === 0) this.#refused.settled();
    if (snapshot && part.own.length > 0) this.onOwnSnapshot(part.own); // one of others says nothing of ours
    if (applied.mismatched.size > 0) this.onMismatch([...applied.mismatched]);
  }

  /** A broker that says everything and leaves a member out has lost it or hides it: absence ends no membership, but it
   *  is shown until the member is heard of again. */
  #compareMembers(candidates: readonly Candidate[], everything: boolean): void {
    const { troubles } = this.#parts;
    const there = new Set(candidates.flatMap(({ kind, envelope }) => (kind === "member" ? [envelope.key] : [])));
    for (const key of there) troubles.clear(WITHHELD, key);
    for (const { cluster } of everything ? this.catalogue.live() : []) {
      const subject = `member/${cluster}`;
      if (there.has(subject)) continue;
      this.#count("left-out");
      const title = "The broker leaves out a member";
      const detail = `${cluster} has neither left nor been evicted: what is known of it stays, and is no longer renewed`;
      troubles.set({ code: WITHHELD, severity: "warning", title, subject, detail });
    }
  }

  /** Of our own records the texts are at hand, and to compare these costs less than a digest. */
  #holds(envelope: Envelope): boolean {
    const { key, order, body } = envelope;
    const held = this.ownBodies.get(key);
    if (held === undefined) return this.catalogue.holds(envelope);
    const known = this.catalogue.orderOf(key);
    return held === body && known !== undefined && compareOrder(known, order) === 0;
  }

  /** What our own speaker said under its epoch it has applied before it went up; the heads of its chunks cover only
   *  what the broker had by then, and would take back the rest. */
  #isEcho({ key, order }: Envelope): boolean {
    return key === `head/${this.#parts.own}` && order.epoch === this.ownEpoch();
  }

  #settle({ accepted, mismatched }: Applied): void {
    for (const cluster of this.#unsettled) {
      const gone = this.catalogue.members.get(cluster)?.gone !== null;
      if (gone || accepted.some(({ key }) => key === `head/${cluster}`)) this.#unsettled.delete(cluster);
    }
    for (const cluster of mismatched) this.#unsettled.add(cluster);
  }

  async #keep(applied: Applied, cursor?: Cursor): Promise<void> {
    for (const key of applied.removed) this.ownBodies.delete(key);
    for (const { key, body } of applied.accepted) this.#keepOwn(key, body);
    const fresh = { put: applied.accepted, removed: applied.removed };
    await this.#write(this.#owed === null ? fresh : mergeChanges(this.#owed, fresh), cursor);
    this.#tell(applied);
  }

  /** A disk that takes nothing is a trouble, and no reason to serve less than is known. */
  async #write(change: CacheChange, cursor: Cursor | undefined): Promise<void> {
    const { cache, troubles } = this.#parts;
    try {
      await cache.write({ ...change, ...(cursor === undefined ? {} : { cursor }) });
      this.#owed = null;
      troubles.clear("cache-failed");
    } catch (error) {
      this.#owed = change;
      const title = "What is learned cannot be kept on the disk";
      const detail = `${String(error)}: a restart without the broker would serve an older state. Make room`;
      troubles.set({ code: "cache-failed", severity: "critical", title, subject: "", detail });
    }
  }

  #keepOwn(key: string, body: string): void {
    const [kind, cluster] = key.split("/");
    if (cluster === this.#parts.own && (kind === "export" || kind === "nodes")) this.ownBodies.set(key, body);
  }

  #tell(applied: Applied): void {
    for (const { key } of applied.accepted) this.#refused.clear(key);
    for (const { key, code, message } of applied.refusals) {
      // Of our own records the broker may have less than we have said since.
      if (code === "stale" && key.split("/")[1] === this.#parts.own) continue;
      this.#count(code);
      if (code === "stale") this.#stale.add(key);
      const severity = LIES.has(code) ? "critical" : "warning";
      const title = "A record from the broker was not believed";
      this.#refused.add(key, severity, title, `${code}: ${message}`);
    }
    for (const cluster of applied.members) if (this.catalogue.members.get(cluster)?.gone) this.#pardon(cluster);
    for (const listener of this.#listeners) listener(applied);
  }

  #count(code: string): void {
    this.refused.set(code, (this.refused.get(code) ?? 0) + 1);
  }

  /** A broker that was behind, after a restore perhaps, and now says what is held, is so no more. */
  #forgive(envelope: Envelope): void {
    if (!this.#stale.has(envelope.key) || !this.catalogue.holds(envelope)) return;
    this.#stale.delete(envelope.key);
    this.#refused.clear(envelope.key);
  }

  /** What was refused of a member that is gone matters to nobody. */
  #pardon(cluster: ClusterId): void {
    this.#parts.troubles.clear(WITHHELD, `member/${cluster}`);
    this.#refused.pardon(cluster);
  }

  /** Applies in small steps: the event loop turns in between. */
  async #apply(candidates: readonly Candidate[], removed: readonly string[], snapshot: boolean): Promise<Applied> {
    const steps = this.catalogue.applying(candidates, removed, snapshot);
    let result: Applied | undefined;
    function* until(): Generator<void> {
      result = yield* steps;
    }
    await slices(until(), () => {});
    if (result === undefined) throw new Error("a batch was not applied to its end");
    return result;
  }

  async #examine(records: Iterable<Envelope>): Promise<readonly Candidate[]> {
    const { verifier } = this.#parts;
    const candidates: Candidate[] = [];
    await slices(records, (envelope) => {
      const candidate = examine(envelope, verifier());
      if (candidate.ok) candidates.push(candidate.value);
      else {
        this.#count("invalid");
        this.#refused.add(envelope.key, "warning", "A record from the broker is wrong", candidate.error);
      }
    });
    return candidates;
  }

  /** Applying waits for what was begun before: two batches never interleave. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#queue.then(work, work);
    this.#queue = next.catch(() => {});
    return next;
  }
}
