/** Ids of the two kinds of subtree that need no node: wholly free and wholly taken. */
const FREE = 0;
const FULL = 1;
/** `best` of a full subtree: deeper than any block can lie. */
const NONE = 200;
/** Bits handled at a time where block numbers become path bits: they fit a small integer. */
const WORD = 30;

/** BuddyTree knows which blocks of a space are taken (Knowlton 1965, "buddy system"). The space is the root; a block
 *  is (index, depth): the index-th of the root's 2^depth equal parts. Only the border between free and taken has nodes,
 *  so an empty and a full tree weigh nothing, and each operation costs O(depth), whatever is taken.
 *
 *  Nodes are numbers into typed arrays: 9 bytes each and nothing for the garbage collector to visit. */
export class BuddyTree {
  readonly #maxDepth: number;
  #root = FREE;
  /** Children of node n are `kids[2n]` and `kids[2n + 1]`. */
  #kids = new Int32Array(2 * 64);
  /** How far below node n its largest free block lies. */
  #best = new Uint8Array(64);
  #used = 2;
  /** Nodes given back, chained by their first child; 0 ends the chain. */
  #spare = 0;
  /** Path being walked: bits from the root, and the nodes passed. Kept to spare an allocation per call. */
  readonly #path: Uint8Array;
  readonly #walked: Int32Array;
  /** How many nodes were passed: where the walk ended, or met a wholly free or taken subtree. */
  #reached = 0;

  /** @param maxDepth of the smallest block, at most 128 */
  constructor(maxDepth: number) {
    if (!(maxDepth >= 0 && maxDepth <= 128)) throw new RangeError(`maxDepth must be 0 to 128: ${maxDepth}`);
    this.#maxDepth = maxDepth;
    this.#path = new Uint8Array(maxDepth + 1);
    this.#walked = new Int32Array(maxDepth + 1);
    this.#best[FULL] = NONE;
  }

  /** Nodes in use, for tests and figures of memory. */
  get nodes(): number {
    let spare = 0;
    for (let n = this.#spare; n !== 0; n = this.#kids[2 * n] ?? 0) spare++;
    return this.#used - 2 - spare;
  }

  /** find is the first free block of a depth, or the first inside another block. */
  find(depth: number, inside: { readonly index: bigint; readonly depth: number } = { index: 0n, depth: 0 }) {
    return this.#seek(depth, inside.index, inside.depth) ? this.#index(depth) : undefined;
  }

  /** take finds the first free block of a depth and reserves it. */
  take(depth: number): bigint | undefined {
    if (!this.#seek(depth, 0n, 0)) return undefined;
    this.#set(depth, FREE, FULL);
    return this.#index(depth);
  }

  /** isFree reports whether no part of a block is taken. */
  isFree(index: bigint, depth: number): boolean {
    return this.#walk(index, depth) === FREE;
  }

  /** reserve takes a block if all of it is free, and reports whether it did. */
  reserve(index: bigint, depth: number): boolean {
    if (this.#walk(index, depth) !== FREE) return false;
    this.#set(depth, FREE, FULL);
    return true;
  }

  /** release frees a block, all of which is taken. Throws if it is not: somebody released it twice. */
  release(index: bigint, depth: number): void {
    if (this.#walk(index, depth) !== FULL) throw new Error(`block ${index} at depth ${depth} is not taken`);
    this.#set(depth, FULL, FREE);
  }

  /** firstTaken is the first taken block of the smallest size inside a block; undefined if the block is free. */
  firstTaken(index: bigint, depth: number): bigint | undefined {
    let node = this.#walk(index, depth);
    if (node === FREE) return undefined;
    for (let level = depth; level < this.#maxDepth; level++) {
      const bit = node > FULL && this.#kid(node, 0) === FREE ? 1 : 0;
      this.#path[level] = bit;
      if (node > FULL) node = this.#kid(node, bit);
    }
    return this.#index(this.#maxDepth);
  }

  /** #walk is the subtree of a block, or the wholly free or taken one that it lies in. It leaves path and nodes. */
  #walk(index: bigint, depth: number): number {
    const kids = this.#kids; // fields are read once, here and below: each private access is checked
    const path = this.#path;
    const walked = this.#walked;
    if (depth > 0 || index !== 0n) this.#spell(index, depth);
    let node = this.#root;
    let level = 0;
    for (; level < depth && node > FULL; level++) {
      walked[level] = node;
      node = kids[2 * node + (path[level] ?? 0)] ?? 0;
    }
    this.#reached = level;
    return node;
  }

  /** #seek walks to the first free block inside a block, and reports whether there is one. */
  #seek(depth: number, index: bigint, from: number): boolean {
    if (depth < from) return false;
    const kids = this.#kids;
    const best = this.#best;
    const path = this.#path;
    const walked = this.#walked;
    let node = this.#walk(index, from);
    if ((best[node] ?? 0) > depth - from) return false;
    let level = from;
    for (; level < depth && node > FULL; level++) {
      const left = kids[2 * node] ?? 0;
      const bit = (best[left] ?? 0) < depth - level ? 0 : 1;
      walked[level] = node;
      path[level] = bit;
      node = bit === 0 ? left : (kids[2 * node + 1] ?? 0);
    }
    for (let rest = level; rest < depth; rest++) path[rest] = 0;
    if (this.#reached === from) this.#reached = level;
    return true;
  }

  /** #set changes the block on the path, which is `was`: nodes are made down to it, each half being what the whole
   *  was; then equal halves are merged and `best` renewed on the way up. */
  #set(depth: number, was: number, end: number): void {
    for (let level = this.#reached; level < depth; level++) this.#walked[level] = this.#make(was);
    const kids = this.#kids; // after making nodes, which may have moved the arrays
    const best = this.#best;
    const path = this.#path;
    const walked = this.#walked;
    let spare = this.#spare;
    let node = end;
    for (let level = depth - 1; level >= 0; level--) {
      const parent = walked[level] ?? 0;
      const bit = path[level] ?? 0;
      const other = kids[2 * parent + 1 - bit] ?? 0;
      if (node <= FULL && other === node) {
        kids[2 * parent] = spare;
        spare = parent;
        continue;
      }
      kids[2 * parent + bit] = node;
      best[parent] = 1 + Math.min(best[node] ?? 0, best[other] ?? 0);
      node = parent;
    }
    this.#spare = spare;
    this.#root = node;
  }

  /** #make is a node, new or used before, both of whose halves are `kid`. */
  #make(kid: number): number {
    const node = this.#spare === 0 ? this.#used++ : this.#spare;
    if (this.#spare === 0) this.#grow();
    else this.#spare = this.#kids[2 * node] ?? 0;
    this.#kids[2 * node] = kid;
    this.#kids[2 * node + 1] = kid;
    return node;
  }

  /** #grow doubles the arrays when the newest node would not fit. */
  #grow(): void {
    if (this.#used <= this.#best.length) return;
    const kids = new Int32Array(4 * this.#best.length);
    const best = new Uint8Array(2 * this.#best.length);
    kids.set(this.#kids);
    best.set(this.#best);
    this.#kids = kids;
    this.#best = best;
  }

  #kid(node: number, bit: number): number {
    return this.#kids[2 * node + bit] ?? 0;
  }

  /** #spell writes a block's number as path bits. */
  #spell(index: bigint, depth: number): void {
    const path = this.#path;
    let rest = index;
    let end = depth;
    for (; end > WORD; end -= WORD) {
      let word = Number(BigInt.asUintN(WORD, rest));
      for (let level = end - 1; level >= end - WORD; level--, word >>>= 1) path[level] = word & 1;
      rest >>= BigInt(WORD);
    }
    let word = Number(rest);
    if (depth > this.#maxDepth || word < 0 || word >= 2 ** end) {
      throw new RangeError(`no block ${index} at depth ${depth} of ${this.#maxDepth}`);
    }
    for (let level = end - 1; level >= 0; level--, word >>>= 1) path[level] = word & 1;
  }

  /** #index is the inverse of #spell. */
  #index(depth: number): bigint {
    let index = 0n;
    for (let start = 0; start < depth; start += WORD) {
      const end = Math.min(depth, start + WORD);
      let word = 0;
      for (let level = start; level < end; level++) word = word * 2 + (this.#path[level] ?? 0);
      index = start === 0 ? BigInt(word) : (index << BigInt(end - start)) | BigInt(word);
    }
    return index;
  }
}
