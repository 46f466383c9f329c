import { hash } from "node:crypto";
import type { Order } from "./record.ts";

const BUCKETS = 256;

interface Entry {
  readonly order: Order;
  readonly digest: string;
}

/** TallyEntry is one record as a head counts it. */
export interface TallyEntry extends Entry {
  readonly key: string;
}

/** Tally keeps what a head says about a member's records: their count, and a root over 256 bucket hashes, each over
 *  the sorted (key, order, digest) of its records. A change costs one bucket and the root, not the whole set; two
 *  parties that differ find the buckets in which they do. */
export class Tally {
  readonly #buckets: Map<string, Entry>[] = Array.from({ length: BUCKETS }, () => new Map<string, Entry>());
  readonly #hashes: (string | undefined)[] = Array.from({ length: BUCKETS }, () => undefined);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(key: string): Entry | undefined {
    return this.#buckets[bucketOf(key)]?.get(key);
  }

  put(key: string, order: Order, digest: string): void {
    const at = bucketOf(key);
    const bucket = this.#buckets[at] as Map<string, Entry>;
    if (!bucket.has(key)) this.#count += 1;
    bucket.set(key, { order, digest });
    this.#hashes[at] = undefined;
  }

  remove(key: string): void {
    const at = bucketOf(key);
    if (this.#buckets[at]?.delete(key) !== true) return;
    this.#count -= 1;
    this.#hashes[at] = undefined;
  }

  *keys(): Generator<string> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  /** copy is a tally of the same records. */
  copy(): Tally {
    const twin = new Tally();
    this.#buckets.forEach((bucket, at) => {
      for (const [key, entry] of bucket) twin.#buckets[at]?.set(key, entry);
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
      const mine = this.#buckets[at] as Map<string, Entry>;
      const theirs = other.#buckets[at] as Map<string, Entry>;
      for (const [key, { digest }] of mine) if (theirs.get(key)?.digest !== digest) yield { key, gone: false };
      for (const key of theirs.keys()) if (!mine.has(key)) yield { key, gone: true };
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
    const fresh = hash("sha256", linesOf(this.#buckets[at] ?? new Map()), "base64url");
    this.#hashes[at] = fresh;
    return fresh;
  }
}

function linesOf(bucket: ReadonlyMap<string, Entry>): string {
  const lines: string[] = [];
  for (const [key, { order, digest }] of bucket) lines.push(`${key} ${order.epoch}.${order.seq} ${digest}\n`);
  return lines.sort().join("");
}

/** bucketOf spreads keys evenly (FNV-1a, 32 bits, folded to 8) and is the same for everybody. Nothing secret depends
 *  on it: who fills one bucket only makes the own head dearer. */
function bucketOf(key: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) sum = Math.imul(sum ^ key.charCodeAt(at), 0x01000193);
  return (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
}
