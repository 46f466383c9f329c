import { hash } from "node:crypto";
import type { Order } from "./record.ts";

const BUCKETS = 256;

/** TallyEntry is one record as a head counts it. */
export interface TallyEntry {
  readonly key: string;
  readonly order: Order;
  readonly digest: string;
}

/** Entry is a record in its bucket, with the line that the bucket's hash takes of it. */
interface Entry extends TallyEntry {
  readonly line: string;
}

/** Tally keeps what a head says about a member's records: their count, and a root over 256 bucket hashes, each over
 *  the sorted lines (key, order, digest) of its records. A change costs one bucket and the root, not the whole set; two
 *  parties that differ find the buckets in which they do.
 *  A bucket is an array in the order of its keys, with the lines ready: a batch of hundreds of records touches nearly
 *  all buckets of a large set, and so its hash is all that each of them costs. */
export class Tally {
  readonly #buckets: Entry[][] = Array.from({ length: BUCKETS }, () => []);
  readonly #hashes: (string | undefined)[] = Array.from({ length: BUCKETS }, () => undefined);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(key: string): TallyEntry | undefined {
    return find(this.#bucket(bucketOf(key)), key);
  }

  put(key: string, order: Order, digest: string): void {
    const at = bucketOf(key);
    const bucket = this.#bucket(at);
    const place = placeOf(bucket, key);
    const known = bucket[place]?.key === key;
    bucket.splice(place, known ? 1 : 0, { key, order, digest, line: `${key} ${order.epoch}.${order.seq} ${digest}\n` });
    if (!known) this.#count += 1;
    this.#hashes[at] = undefined;
  }

  remove(key: string): void {
    const at = bucketOf(key);
    const bucket = this.#bucket(at);
    const place = placeOf(bucket, key);
    if (bucket[place]?.key !== key) return;
    bucket.splice(place, 1);
    this.#count -= 1;
    this.#hashes[at] = undefined;
  }

  *keys(): Generator<string> {
    for (const bucket of this.#buckets) for (const { key } of bucket) yield key;
  }

  /** copy is a tally of the same records. */
  copy(): Tally {
    const twin = new Tally();
    this.#buckets.forEach((bucket, at) => {
      twin.#buckets[at] = bucket.slice();
      twin.#hashes[at] = this.#hashes[at];
    });
    twin.#count = this.#count;
    return twin;
  }

  /** difference lists what this tally has that the other has not or has otherwise, and what only the other has.
   *  Buckets with equal hashes are not looked into. */
  *difference(other: Tally): Generator<{ readonly key: string; readonly gone: boolean }> {
    for (let at = 0; at < BUCKETS; at += 1) {
      if (this.#hashAt(at) === other.#hashAt(at)) continue;
      const mine = this.#bucket(at);
      const theirs = other.#bucket(at);
      for (const { key, digest } of mine) if (find(theirs, key)?.digest !== digest) yield { key, gone: false };
      for (const { key } of theirs) if (find(mine, key) === undefined) yield { key, gone: true };
    }
  }

  /** preview is the count and root that there would be after a change, without making it: what a head has to say. */
  preview(puts: readonly TallyEntry[], removed: readonly string[]): { readonly count: number; readonly root: string } {
    const undo = this.change(puts, removed);
    const result = { count: this.#count, root: this.root() };
    undo();
    return result;
  }

  /** change makes a change and gives what takes it back; hashes that stood before stand again then. */
  change(puts: readonly TallyEntry[], removed: readonly string[]): () => void {
    const before = new Map([...puts.map(({ key }) => key), ...removed].map((key) => [key, this.get(key)]));
    const hashes = [...this.#hashes];
    for (const key of removed) this.remove(key);
    for (const { key, order, digest } of puts) this.put(key, order, digest);
    return () => {
      for (const [key, entry] of before) {
        if (entry === undefined) this.remove(key);
        else this.put(key, entry.order, entry.digest);
      }
      hashes.forEach((hashed, at) => {
        this.#hashes[at] = hashed;
      });
    };
  }

  /** rehash brings the bucket hashes up to date, one at a time: a caller with little time lets others in between. */
  *rehash(): Generator<void> {
    for (let at = 0; at < BUCKETS; at += 1) {
      if (this.#hashes[at] !== undefined) continue;
      this.#hashAt(at);
      yield;
    }
  }

  root(): string {
    const hashes = this.#hashes.map((_, at) => this.#hashAt(at));
    return hash("sha256", hashes.join("\n"), "base64url");
  }

  /** A bucket's hash in base64url; an empty one's is the hash of nothing. */
  #hashAt(at: number): string {
    const known = this.#hashes[at];
    if (known !== undefined) return known;
    const lines = this.#bucket(at).map(({ line }) => line);
    const fresh = hash("sha256", lines.join(""), "base64url");
    this.#hashes[at] = fresh;
    return fresh;
  }

  #bucket(at: number): Entry[] {
    const bucket = this.#buckets[at];
    if (bucket === undefined) throw new Error(`there is no bucket ${at}`);
    return bucket;
  }
}

/** placeOf is where a key stands in a bucket, or would stand. Keys have no character below the space that ends them in
 *  a line, so their order is that of the lines. */
function placeOf(bucket: readonly Entry[], key: string): number {
  let [low, high] = [0, bucket.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bucket[middle]?.key ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function find(bucket: readonly Entry[], key: string): Entry | undefined {
  const entry = bucket[placeOf(bucket, key)];
  return entry?.key === key ? entry : undefined;
}

/** bucketOf spreads keys evenly (FNV-1a, 32 bits, folded to 8) and is the same for everybody. Nothing secret depends
 *  on it: who fills one bucket only makes the own head dearer. */
function bucketOf(key: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) sum = Math.imul(sum ^ key.charCodeAt(at), 0x01000193);
  return (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
}
