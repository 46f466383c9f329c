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

  keys(): string[] {
    return this.#buckets.flatMap((bucket) => [...bucket.keys()]);
  }

  /** bucketHashes are the 256 hashes in base64url; an empty bucket's is the hash of nothing. */
  bucketHashes(): readonly string[] {
    return this.#buckets.map((bucket, at) => {
      const known = this.#hashes[at];
      if (known !== undefined) return known;
      const fresh = hash("sha256", linesOf(bucket), "base64url");
      this.#hashes[at] = fresh;
      return fresh;
    });
  }

  /** preview is the count and root that there would be after a change, without making it: what a head has to say. */
  preview(puts: readonly TallyEntry[], removed: readonly string[]): { readonly count: number; readonly root: string } {
    const before = new Map([...puts.map(({ key }) => key), ...removed].map((key) => [key, this.get(key)]));
    for (const key of removed) this.remove(key);
    for (const { key, order, digest } of puts) this.put(key, order, digest);
    const result = { count: this.#count, root: this.root() };
    for (const [key, entry] of before) {
      if (entry === undefined) this.remove(key);
      else this.put(key, entry.order, entry.digest);
    }
    return result;
  }

  root(): string {
    return hash("sha256", this.bucketHashes().join("\n"), "base64url");
  }
}

function linesOf(bucket: ReadonlyMap<string, Entry>): string {
  const lines = [...bucket].map(([key, { order, digest }]) => `${key} ${order.epoch}.${order.seq} ${digest}\n`);
  return lines.sort().join("");
}

/** bucketOf is the first octet of the key's SHA-256: even, and the same for everybody. */
function bucketOf(key: string): number {
  return Number.parseInt(hash("sha256", key, "hex").slice(0, 2), 16);
}
