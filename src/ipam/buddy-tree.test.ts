import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuddyTree } from "./buddy-tree.ts";

/** Bitmap is the plain truth about a small space: one flag per smallest block. */
class Bitmap {
  readonly depth: number;
  readonly #taken: boolean[];

  constructor(depth: number) {
    this.depth = depth;
    this.#taken = new Array(2 ** depth).fill(false);
  }

  span(index: number, depth: number): readonly number[] {
    const size = 2 ** (this.depth - depth);
    return Array.from({ length: size }, (_, i) => index * size + i);
  }

  all(index: number, depth: number, taken: boolean): boolean {
    return this.span(index, depth).every((i) => this.#taken[i] === taken);
  }

  set(index: number, depth: number, taken: boolean): void {
    for (const i of this.span(index, depth)) this.#taken[i] = taken;
  }

  find(depth: number, inside: { index: number; depth: number }): bigint | undefined {
    if (depth < inside.depth) return undefined;
    const few = 2 ** (depth - inside.depth);
    const at = Array.from({ length: few }, (_, i) => inside.index * few + i).find((i) => this.all(i, depth, false));
    return at === undefined ? undefined : BigInt(at);
  }

  firstTaken(index: number, depth: number): bigint | undefined {
    const at = this.span(index, depth).find((i) => this.#taken[i]);
    return at === undefined ? undefined : BigInt(at);
  }
}

const DEPTH = 6;
const block = fc
  .integer({ min: 0, max: DEPTH })
  .chain((depth) => fc.record({ depth: fc.constant(depth), index: fc.integer({ min: 0, max: 2 ** depth - 1 }) }));
const step = fc.record({ kind: fc.constantFrom("reserve", "release", "take", "find", "first"), at: block, in: block });

describe("BuddyTree", () => {
  test("take() gives the lowest free block", () => {
    const tree = new BuddyTree(8);
    expect([tree.take(4), tree.take(8), tree.take(4), tree.take(8), tree.take(1)]).toEqual([0n, 16n, 2n, 17n, 1n]);
    expect(tree.take(1)).toBeUndefined();
  });

  test("reserve() refuses a block of which any part is taken", () => {
    const tree = new BuddyTree(8);
    expect(tree.reserve(5n, 4)).toBe(true);
    expect([tree.reserve(5n, 4), tree.reserve(2n, 3), tree.reserve(0n, 0), tree.reserve(80n, 8)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(tree.reserve(4n, 4)).toBe(true);
  });

  test("release() throws for what is free, wholly or in part", () => {
    const tree = new BuddyTree(8);
    tree.reserve(0n, 4);
    expect(() => tree.release(1n, 4)).toThrow("not taken");
    expect(() => tree.release(0n, 3)).toThrow("not taken");
    tree.release(0n, 4);
    expect(() => tree.release(0n, 4)).toThrow("not taken");
  });

  test("release() may free a part of what was reserved as a whole", () => {
    const tree = new BuddyTree(8);
    tree.reserve(0n, 1);
    tree.release(3n, 8);
    expect(tree.find(8)).toBe(3n);
    expect(tree.isFree(3n, 8)).toBe(true);
    expect(tree.isFree(2n, 8)).toBe(false);
  });

  test("free buddies merge and a full tree weighs nothing", () => {
    const tree = new BuddyTree(12);
    for (let i = 0; i < 4096; i++) expect(tree.take(12)).toBe(BigInt(i));
    expect(tree.nodes).toBe(0);
    for (let i = 0; i < 4096; i++) tree.release(BigInt(i), 12);
    expect(tree.nodes).toBe(0);
    expect(tree.take(0)).toBe(0n);
  });

  test("one block in a huge space costs one node per level", () => {
    const tree = new BuddyTree(128);
    tree.reserve(2n ** 127n + 5n, 128);
    expect(tree.nodes).toBe(128);
    expect(tree.firstTaken(0n, 0)).toBe(2n ** 127n + 5n);
    expect(tree.find(1)).toBe(0n);
    expect(tree.find(128, { index: 1n, depth: 1 })).toBe(2n ** 127n);
  });

  test("numbers of 31, 60, 61 and 128 bits survive the way to the tree and back", () => {
    for (const depth of [29, 30, 31, 59, 60, 61, 90, 91, 128]) {
      const tree = new BuddyTree(128);
      const index = (1n << BigInt(depth)) - 2n;
      tree.reserve(index, depth);
      expect(tree.firstTaken(0n, 0)).toBe(index << BigInt(128 - depth));
      expect(tree.find(depth, { index, depth: depth })).toBeUndefined();
      expect(tree.find(depth, { index: index >> 1n, depth: depth - 1 })).toBe(index + 1n);
    }
  });

  test("blocks that do not exist throw", () => {
    const tree = new BuddyTree(8);
    expect(() => tree.isFree(16n, 4)).toThrow(RangeError);
    expect(() => tree.isFree(-1n, 4)).toThrow(RangeError);
    expect(() => tree.isFree(0n, 9)).toThrow(RangeError);
    expect(() => new BuddyTree(129)).toThrow(RangeError);
  });

  test("the tree and a bitmap agree after any steps", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const [tree, truth] = [new BuddyTree(DEPTH), new Bitmap(DEPTH)];
        for (const { kind, at, in: inside } of steps) walk(tree, truth, kind, at, inside);
      }),
      { numRuns: 400 },
    );
  });

  test("time for a take and a release does not depend on the size of the space", () => {
    const [small, large] = [cost(8), cost(24)];
    // Flat would be 1; a walk over what is taken would be thousands. The machine may be busy, so the bound is wide.
    expect(large / small).toBeLessThan(12);
  });
});

function walk(tree: BuddyTree, truth: Bitmap, kind: string, at: Block, inside: Block): void {
  const [index, depth] = [BigInt(at.index), at.depth];
  if (kind === "reserve") {
    const free = truth.all(at.index, depth, false);
    expect(tree.reserve(index, depth)).toBe(free);
    if (free) truth.set(at.index, depth, true);
  } else if (kind === "release" && truth.all(at.index, depth, true)) {
    tree.release(index, depth);
    truth.set(at.index, depth, false);
  } else if (kind === "take") {
    const want = truth.find(depth, { index: 0, depth: 0 });
    expect(tree.take(depth)).toBe(want);
    if (want !== undefined) truth.set(Number(want), depth, true);
  } else if (kind === "find") {
    expect(tree.find(depth, { index: BigInt(inside.index), depth: inside.depth })).toBe(truth.find(depth, inside));
  } else {
    expect(tree.firstTaken(index, depth)).toBe(truth.firstTaken(at.index, depth));
    expect(tree.isFree(index, depth)).toBe(truth.all(at.index, depth, false));
  }
}

type Block = { readonly index: number; readonly depth: number };

/** cost is the best of five of 2,000 takes and releases in a half full space, in milliseconds. */
function cost(depth: number): number {
  const tree = new BuddyTree(depth);
  tree.reserve(0n, 1);
  const runs = Array.from({ length: 5 }, () => {
    const start = performance.now();
    for (let i = 0; i < 2000; i++) tree.release(tree.take(depth) ?? -1n, depth);
    return performance.now() - start;
  });
  return Math.min(...runs);
}
