import { BITS, type Cidr, type CidrParts, cidrOf, cidrParts, covers, type Family, type Ip, ipFrom } from "#values";
import { BuddyTree } from "./buddy-tree.ts";
import { nodeLength, type Pools, partOf, poolsOf, supernetFault } from "./pools.ts";

/** Block is a network as numbers: its text is only made for what is granted. */
export type Block = Pick<CidrParts, "base" | "length">;

/** Space is one supernet: which of its blocks are taken, without a word about by whom. */
export class Space {
  readonly supernet: Cidr;
  readonly family: Family;
  readonly pools: Pools;
  /** Prefix length of a member's nodes. */
  readonly nodeLength: number;
  /** The services pool as numbers: it is asked for most. */
  readonly services: CidrParts;
  readonly #root: CidrParts;
  readonly #tree: BuddyTree;

  constructor(supernet: Cidr) {
    const fault = supernetFault(supernet);
    if (fault !== undefined) throw new RangeError(fault);
    this.#root = cidrParts(supernet);
    this.supernet = supernet;
    this.family = this.#root.family;
    this.pools = poolsOf(supernet);
    this.services = cidrParts(this.pools.services);
    this.nodeLength = nodeLength(supernet);
    this.#tree = new BuddyTree(BITS[this.family] - this.#root.length);
  }

  /** isFree reports whether no address of a network of this supernet is taken. */
  isFree(cidr: Cidr): boolean {
    return this.isBlockFree(cidrParts(cidr));
  }

  /** isBlockFree is isFree without text: service addresses are tried by the thousand. */
  isBlockFree(block: Block): boolean {
    return this.#tree.isFree(this.#index(block), this.#depth(block));
  }

  /** reserve takes a block of this supernet if all of it is free, and reports whether it did. */
  reserve(block: Block): boolean {
    return this.#tree.reserve(this.#index(block), this.#depth(block));
  }

  /** release gives back a reserved block, or throws if it was not reserved. */
  release(block: Block): void {
    this.#tree.release(this.#index(block), this.#depth(block));
  }

  /** firstTaken is the first address of a network that is taken. */
  firstTaken(cidr: Cidr): Ip | undefined {
    const block = cidrParts(cidr);
    const offset = this.#tree.firstTaken(this.#index(block), this.#depth(block));
    return offset === undefined ? undefined : ipFrom(this.family, this.#root.base + offset);
  }

  /** first is the lowest free network of a length inside one of several. */
  first(length: number, inside: readonly Cidr[]): Cidr | undefined {
    for (const pool of inside) {
      const within = cidrParts(pool);
      const index = this.#tree.find(length - this.#root.length, {
        index: this.#index(within),
        depth: this.#depth(within),
      });
      if (index !== undefined) return this.#cidr(index, length);
    }
    return undefined;
  }

  /** roomy is the lowest free network whose buddy is free too, so that its owner can double in place; where there is
   *  none, the lowest free one. */
  roomy(length: number, inside: readonly Cidr[]): Cidr | undefined {
    const pair = this.first(length - 1, inside);
    return pair === undefined ? this.first(length, inside) : cidrOf(this.family, cidrParts(pair).base, length);
  }

  /** slot is the n-th of the 256 equal parts of the supernet: the n-th member's pods. */
  slot(n: number): Cidr {
    return partOf(this.supernet, 8, BigInt(n));
  }

  /** slotOf is the slot in which a network of this supernet begins. */
  slotOf(cidr: Cidr): number {
    const { base, length } = this.#root;
    return Number((cidrParts(cidr).base - base) >> BigInt(BITS[this.family] - length - 8));
  }

  /** isSlotFree reports whether no part of the n-th slot is taken; without text, since many are tried. */
  isSlotFree(n: number): boolean {
    return this.#tree.isFree(BigInt(n), 8);
  }

  /** nodeBlock is the n-th block of the nodes pool. */
  nodeBlock(n: number): Cidr {
    return this.#cidr(BigInt(n), this.nodeLength);
  }

  /** isNodeBlockFree reports whether the nodes pool has an n-th block, and no part of it is taken. */
  isNodeBlockFree(n: number): boolean {
    const depth = this.nodeLength - this.#root.length;
    return n < 2 ** (depth - 8) && this.#tree.isFree(BigInt(n), depth);
  }

  /** nodesButFirst is the nodes pool without its block 0. */
  get nodesButFirst(): readonly Cidr[] {
    const depth = this.nodeLength - this.#root.length - 8;
    return Array.from({ length: depth }, (_, i) => partOf(this.pools.nodes, depth - i, 1n));
  }

  /** nodeNumber is the inverse of nodeBlock. */
  nodeNumber(block: Cidr): number {
    return Number((cidrParts(block).base - this.#root.base) >> BigInt(BITS[this.family] - this.nodeLength));
  }

  /** isPods reports whether a network lies in the pods pool. */
  isPods(cidr: Cidr): boolean {
    return this.pools.pods.some((pool) => covers(pool, cidr));
  }

  /** #depth and #index are a block's place in the tree, #cidr the way back. */
  #depth({ length }: Block): number {
    return length - this.#root.length;
  }

  #index({ base, length }: Block): bigint {
    const offset = base - this.#root.base;
    return length === BITS[this.family] ? offset : offset >> BigInt(BITS[this.family] - length);
  }

  #cidr(index: bigint, length: number): Cidr {
    return cidrOf(this.family, this.#root.base + (index << BigInt(BITS[this.family] - length)), length);
  }
}
