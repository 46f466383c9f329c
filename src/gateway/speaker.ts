import type { KeyObject } from "node:crypto";
import { type Clock, Latest, type Log, type Room, slices, type Troubles, wakeOrAfter } from "#life";
import type { SyncClient } from "#sync";
import type { ClusterId, NodeName } from "#values";
import {
  type Applied,
  type Candidate,
  digestOf,
  type Envelope,
  formatKey,
  type Order,
  seal,
  stated,
  Tally,
  type TallyEntry,
  unsealed,
} from "#wire";
import { chunkOf, isTooLarge, MAX_BYTES, MAX_RECORDS } from "./chunk-of.ts";
import type { Follower } from "./follower.ts";

/** Statement is what one record of ours should say: null takes it back. */
export type Statement =
  | { readonly key: string; readonly body: unknown }
  | { readonly key: string; readonly body: null };

export interface SpeakerParts {
  readonly cluster: ClusterId;
  readonly privateKey: KeyObject;
  readonly follower: Follower;
  readonly client: Pick<SyncClient, "state" | "publish" | "claim" | "yieldEpoch" | "withdraw" | "askSnapshot">;
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  /** keys is every record that there may be something to say of: all are looked at under a new epoch. */
  readonly keys: () => Iterable<string>;
  /** states gives what says what a record key should say now; undefined keeps what it says. */
  readonly states: () => (key: string) => Statement | undefined;
  /** canSpeak is false until source and catalogue are known whole: nothing may be taken back before. */
  readonly canSpeak: () => boolean;
  /** published hears which records the broker has taken. */
  readonly published: (keys: readonly string[]) => void;
}

const RETRY_MS = 2000;
/** A speaker that has been without its source, or its catalogue, for so long lets another gateway speak. */
const MUTE_MS = 30_000;

/** Speaker signs and publishes what this member exports, if the broker lets this gateway speak.
 *
 *     silent ──(source and catalogue synced, session live: claim)──> speaking(epoch)
 *       ↑└──────(not-speaker, or given back after 30 s without source or catalogue)──────┘
 *
 *  A change is signed and on our own disk before it goes up. `shadow` is what the broker holds of ours: what differs
 *  from it is sent, in chunks that each carry a head of their own, so that a broker that was away gets everything. */
export class Speaker implements Room {
  readonly name = "speaker";
  readonly #parts: SpeakerParts;
  readonly #dirty = new Set<string>();
  readonly #wake = new Latest(0);
  #epoch: number | null = null;
  #seq = 0;
  #shadow: Tally | null = null;
  #claimAt = 0;
  #askAt = 0;
  /** Since when this gateway cannot speak, monotonic; null while it can. */
  #muteSince: number | null = null;
  /** The head of before stands under an older epoch: it is signed again, and nothing under it is. */
  #owesHead = false;

  constructor(parts: SpeakerParts) {
    this.#parts = parts;
  }

  get epoch(): number | null {
    return this.#epoch;
  }

  /** isPublished reports whether the broker has taken a record of ours. */
  isPublished(key: string): boolean {
    return this.#shadow?.get(key) !== undefined;
  }

  /** changed says that records should be looked at again. */
  changed(keys: Iterable<string>): void {
    for (const key of keys) this.#dirty.add(key);
    this.#wake.set(this.#wake.value + 1);
  }

  /** welcomed compares what the broker holds of ours with what we hold. */
  welcomed(head: { readonly order: Order; readonly root: string } | null): void {
    const { catalogue } = this.#parts.follower;
    const member = catalogue.members.get(this.#parts.cluster);
    const same = (head?.root ?? new Tally().root()) === (member?.tally.root() ?? new Tally().root());
    this.#shadow = same ? (member?.tally.copy() ?? new Tally()) : null;
    this.#seq = Math.max(this.#seq, head?.order.seq ?? 0);
    this.#askAt = 0;
    this.changed([]);
  }

  /** snapshot is what the broker holds of ours, in full. */
  snapshot(records: readonly Envelope[]): void {
    const tally = new Tally();
    for (const record of records) {
      if (/^(export|nodes)\//.test(record.key)) tally.put(record.key, record.order, digestOf(record));
    }
    this.#shadow = tally;
    this.changed([]);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    while (!signal.aborted) {
      const woken = this.#wake.changed();
      try {
        if (await this.#step()) continue;
      } catch (error) {
        if (signal.aborted) return;
        log.error("publishing failed", { error: String(error) });
      }
      await wakeOrAfter(woken, clock, RETRY_MS, signal);
    }
  }

  /** One step towards the broker holding what we say. True when there may be another at once. */
  async #step(): Promise<boolean> {
    if (!this.#parts.canSpeak()) return this.#mute();
    this.#muteSince = null;
    // A sibling has spoken since: what is signed under our epoch would be old, and count for nothing.
    if (this.#epoch !== null && this.#heldEpoch() > this.#epoch) this.#epoch = null;
    if (this.#epoch === null && !(await this.#claim())) return false;
    const signed = await this.#sign();
    const sent = await this.#send();
    return signed || sent;
  }

  /** The epoch of the newest head of ours, whichever gateway signed it. */
  #heldEpoch(): number {
    const { follower, cluster } = this.#parts;
    return follower.catalogue.members.get(cluster)?.head?.order.epoch ?? 0;
  }

  /** What is said stays in force, and a sibling whose source works goes on. */
  async #mute(): Promise<false> {
    const { client, clock, log } = this.#parts;
    const now = clock.monotonic();
    this.#muteSince ??= now;
    if (this.#epoch === null || client.state !== "live" || now - this.#muteSince < MUTE_MS) return false;
    const given = await client.yieldEpoch();
    if (given.ok) {
      log.info("this gateway gives its epoch back: it has had no source for a while", { epoch: this.#epoch });
      this.#epoch = null;
    }
    return false;
  }

  /** silent takes siblings out that have been away for very long; only the speaker does, and the broker checks. */
  async silent(gateways: readonly NodeName[]): Promise<void> {
    const { client, log } = this.#parts;
    if (this.#epoch === null) return;
    for (const gateway of gateways) {
      const done = await client.withdraw(gateway);
      if (done.ok) log.warn("a gateway of this cluster was silent for a day: its index is free again", { gateway });
      else log.info("a silent gateway was not taken out", { gateway, ...done.error });
    }
  }

  async #claim(): Promise<boolean> {
    const { client, clock, log, follower, keys } = this.#parts;
    if (client.state !== "live" || clock.monotonic() < this.#claimAt) return false;
    const above = this.#heldEpoch();
    const claimed = await client.claim(above);
    if (!claimed.ok) {
      this.#claimAt = clock.monotonic() + RETRY_MS;
      log.debug("this gateway does not speak", { ...claimed.error });
      return false;
    }
    // A broker of before does not know what we have seen: the next epoch is nearer.
    if (claimed.value <= above) return this.#claim();
    this.#epoch = claimed.value;
    this.#seq = 0;
    this.#owesHead = above > 0;
    log.info("this gateway speaks for its cluster", { epoch: claimed.value });
    this.changed(follower.ownBodies.keys());
    this.changed(keys());
    return true;
  }

  /** sign turns changed statements into signed records, applies them here and writes them to the disk. */
  async #sign(): Promise<boolean> {
    const { follower, cluster, states } = this.#parts;
    const put: Candidate[] = [];
    const removed: string[] = [];
    let bytes = 0;
    const order = { epoch: this.#epoch ?? 0, seq: this.#seq + 1 };
    const keys = [...this.#dirty];
    if (keys.length === 0) return false;
    const state = states();
    await slices(keys, (key) => {
      if (put.length + removed.length >= MAX_RECORDS || bytes > MAX_BYTES) return;
      this.#dirty.delete(key);
      const statement = state(key);
      if (statement === undefined) return;
      if (statement.body === null) {
        if (follower.ownBodies.has(key)) removed.push(key);
        return;
      }
      const record = unsealed(key, order, statement.body);
      if (record.body === follower.ownBodies.get(key) || isTooLarge(record, this.#parts.troubles)) return;
      put.push(stated(record, statement.body));
      bytes += record.body.length;
    });
    if (put.length === 0 && removed.length === 0) return this.#dirty.size > 0;
    const tally = follower.catalogue.members.get(cluster)?.tally ?? new Tally();
    const head = this.#head(tally, put.map(entryOf), removed);
    const said = head === undefined ? undefined : await follower.own([...put, head], removed);
    if (said !== undefined && said.refusals.length === 0) return true;
    if (said !== undefined) this.#complain(said);
    for (const key of [...put.map(({ envelope }) => envelope.key), ...removed]) this.#dirty.add(key); // for the next try
    return false;
  }

  /** A head over a tally as it will be, under the next number. Undefined while we are no member. */
  #head(tally: Tally, put: readonly TallyEntry[], removed: readonly string[]): Candidate | undefined {
    const { follower, cluster, privateKey } = this.#parts;
    const body = follower.catalogue.members.get(cluster)?.body;
    if (body === undefined || this.#epoch === null) return undefined;
    this.#seq += 1;
    const order = { epoch: this.#epoch, seq: this.#seq };
    const { count, root } = tally.preview(put, removed);
    const { uid, generation } = body;
    const said = { cluster, uid, generation, count, root };
    return stated(seal(privateKey, formatKey({ kind: "head", cluster }), order, said), said);
  }

  /** send brings the broker one chunk nearer to what we hold. */
  async #send(): Promise<boolean> {
    const { client, cluster, clock, follower } = this.#parts;
    if (client.state !== "live") return false;
    if (this.#shadow === null) {
      if (clock.monotonic() < this.#askAt) return false;
      this.#askAt = clock.monotonic() + RETRY_MS;
      client.askSnapshot([cluster]);
      return false;
    }
    const shadow = this.#shadow;
    const mine = follower.catalogue.members.get(cluster)?.tally ?? new Tally();
    const { put, removed, whole } = chunkOf(shadow, mine, follower.ownBodies);
    if (put.length === 0 && removed.length === 0 && !this.#owesHead) return false;
    const entries = put.flatMap(({ key }) => mine.get(key) ?? []);
    const head = whole ? await this.#lastHead(mine) : this.#head(shadow, entries, removed)?.envelope;
    if (head === undefined) return false;
    const answer = await client.publish({ put: [...put, head], remove: [...removed] });
    if (answer.ok) {
      this.#owesHead = false;
      // What was whole is the same on both sides now: the copy brings its hashes along.
      if (whole) this.#shadow = mine.copy();
      else shadow.change(entries, removed);
      this.#parts.published(put.map(({ key }) => key));
      return true;
    }
    this.#refused(answer.error);
    return false;
  }

  /** The chunk that completes the difference carries the head that we hold ourselves, signed anew if a head of an
   *  earlier chunk has a higher number. */
  async #lastHead(mine: Tally): Promise<Envelope | undefined> {
    const { follower, cluster } = this.#parts;
    const held = follower.catalogue.members.get(cluster)?.head;
    if (held?.order.epoch === this.#epoch && held.order.seq === this.#seq) return held.envelope;
    const head = this.#head(mine, [], []);
    if (head !== undefined) this.#complain(await follower.own([head], []));
    return head?.envelope;
  }

  #refused({ code, message }: { readonly code: string; readonly message: string }): void {
    const { log, clock } = this.#parts;
    if (code === "broker-away") return;
    log.warn("the broker refused a publication", { code, message });
    if (code === "not-speaker") {
      this.#epoch = null;
      this.#claimAt = clock.monotonic() + RETRY_MS;
      return;
    }
    this.#shadow = null; // asked for at the next step
  }

  #complain({ refusals }: Applied): void {
    for (const { code, key, message } of refusals) this.#parts.log.error("own record refused", { code, key, message });
  }
}

function entryOf({ envelope, digest }: Candidate): TallyEntry {
  return { key: envelope.key, order: envelope.order, digest };
}
