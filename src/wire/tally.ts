import { hash } from "node:crypto";
import type { Order } from "./record.ts";

const BUCKETS = 256;
/** Leaves of a bucket. */
const LEAVES = 16;

const EMPTY_LEAF = hash("sha256", "", "base64url");
const EMPTY_BUCKET = hashOf(Array.from({ length: LEAVES }, () => EMPTY_LEAF));

/** TallyEntry is one record as a head counts it. */
export interface TallyEntry {
  readonly key: string;
  readonly order: Order;
  readonly digest: string;
}

/** Entry is a record in its leaf, with the line that the leaf's hash takes of it. */
interface Entry extends TallyEntry {
  readonly line: string;
}

/** Leaf is an array in the order of its keys, with the lines ready. */
type Leaf = Entry[];

/** Tally keeps what a head says about a member's records: their count, and a root over 256 bucket hashes, each over
 *  16 leaf hashes, each over the sorted lines (key, order, digest) of its records: a tree as Merkle's (CRYPTO '87).
 *  Two parties that differ find the leaves in which they do. A batch of hundreds of records touches nearly all buckets
 *  of a large set, and of their leaves few: what it costs hardly grows with the set. */
export class Tally {
  /** Undefined is a leaf without a record: most sets are small. */
  readonly #leaves: (Leaf | undefined)[] = new Array<Leaf | undefined>(BUCKETS * LEAVES).fill(undefined);
  readonly #leafHashes: (string | undefined)[] = new Array<string | undefined>(BUCKETS * LEAVES).fill(EMPTY_LEAF);
  readonly #hashes: (string | undefined)[] = new Array<string | undefined>(BUCKETS).fill(EMPTY_BUCKET);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get(key: string): TallyEntry | undefined {
    return find(this.#leaves[leafOf(key)], key);
  }

  put(key: string, order: Order, digest: string): void {
    const at = leafOf(key);
    this.#leaves[at] ??= [];
    const leaf = this.#leaves[at];
    const place = placeOf(leaf, key);
    const known = leaf[place]?.key === key;
    leaf.splice(place, known ? 1 : 0, { key, order, digest, line: `${key} ${order.epoch}.${order.seq} ${digest}\n` });
    if (!known) this.#count += 1;
    this.#stale(at);
  }

  remove(key: string): void {
    const at = leafOf(key);
    const leaf = this.#leaves[at];
    const place = leaf === undefined ? 0 : placeOf(leaf, key);
    if (leaf === undefined || leaf[place]?.key !== key) return;
    leaf.splice(place, 1);
    this.#count -= 1;
    this.#stale(at);
  }

  *keys(): Generator<string> {
    for (const leaf of this.#leaves) for (const { key } of leaf ?? []) yield key;
  }

  /** copy is a tally of the same records. */
  copy(): Tally {
    const twin = new Tally();
    this.#leaves.forEach((leaf, at) => {
      twin.#leaves[at] = leaf?.slice();
      twin.#leafHashes[at] = this.#leafHashes[at];
    });
    this.#hashes.forEach((hashed, at) => {
      twin.#hashes[at] = hashed;
    });
    twin.#count = this.#count;
    return twin;
  }

  /** difference lists what this tally has that the other has not or has otherwise, and what only the other has.
   *  Buckets and leaves with equal hashes are not looked into. */
  *difference(other: Tally): Generator<{ readonly key: string; readonly gone: boolean }> {
    for (let at = 0; at < BUCKETS * LEAVES; at += 1) {
      if (at % LEAVES === 0 && this.#hashAt(at / LEAVES) === other.#hashAt(at / LEAVES)) {
        at += LEAVES - 1;
        continue;
      }
      if (this.#leafHashAt(at) === other.#leafHashAt(at)) continue;
      const [mine, theirs] = [this.#leaves[at] ?? [], other.#leaves[at] ?? []];
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
    const keys = [...puts.map(({ key }) => key), ...removed];
    const before = new Map(keys.map((key) => [key, this.get(key)]));
    const hashes = [...this.#hashes];
    const touched = new Map(keys.map((key): [number, string | undefined] => [leafOf(key), undefined]));
    for (const at of touched.keys()) touched.set(at, this.#leafHashes[at]);
    for (const key of removed) this.remove(key);
    for (const { key, order, digest } of puts) this.put(key, order, digest);
    return () => {
      for (const [key, entry] of before) {
        if (entry === undefined) this.remove(key);
        else this.put(key, entry.order, entry.digest);
      }
      for (const [at, hashed] of touched) this.#leafHashes[at] = hashed;
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
    return hashOf(this.#hashes.map((_, at) => this.#hashAt(at)));
  }

  #stale(leaf: number): void {
    this.#leafHashes[leaf] = undefined;
    this.#hashes[Math.floor(leaf / LEAVES)] = undefined;
  }

  #hashAt(bucket: number): string {
    const known = this.#hashes[bucket];
    if (known !== undefined) return known;
    const leaves: string[] = [];
    for (let at = bucket * LEAVES; at < (bucket + 1) * LEAVES; at += 1) leaves.push(this.#leafHashAt(at));
    const fresh = hashOf(leaves);
    this.#hashes[bucket] = fresh;
    return fresh;
  }

  /** A leaf's hash; an empty one's is the hash of nothing. */
  #leafHashAt(at: number): string {
    const known = this.#leafHashes[at];
    if (known !== undefined) return known;
    let lines = "";
    for (const { line } of this.#leaves[at] ?? []) lines += line;
    const fresh = hash("sha256", lines, "base64url");
    this.#leafHashes[at] = fresh;
    return fresh;
  }
}

/** hashOf is the hash of hashes, in base64url. */
function hashOf(hashes: readonly string[]): string {
  return hash("sha256", hashes.join("\n"), "base64url");
}

/** placeOf is where a key stands in a leaf, or would stand. Keys have no character below the space that ends them in
 *  a line, so their order is that of the lines. */
function placeOf(leaf: readonly Entry[], key: string): number {
  let [low, high] = [0, leaf.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((leaf[middle]?.key ?? "") < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function find(leaf: readonly Entry[] | undefined, key: string): Entry | undefined {
  const entry = leaf?.[placeOf(leaf, key)];
  return entry?.key === key ? entry : undefined;
}

/** leafOf spreads keys evenly and is the same for everybody: FNV-1a of 32 bits, folded to the 8 that name the bucket,
 *  with 4 more for the leaf in it. Nothing secret depends on it: who fills one leaf only makes the own head dearer. */
function leafOf(key: string): number {
  let sum = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1) sum = Math.imul(sum ^ key.charCodeAt(at), 0x01000193);
  const bucket = (sum ^ (sum >>> 8) ^ (sum >>> 16) ^ (sum >>> 24)) & 0xff;
  return bucket * LEAVES + ((sum >>> 12) & (LEAVES - 1));
}
