import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Arena } from "./arena.ts";
import { createZoneMemory, enterZone, HEAD, HEAD_BYTES, leaveZone } from "./zone-memory.ts";

describe("alloc()", () => {
  test("gives aligned blocks behind the head that never overlap, also reused ones", () => {
    const size = fc.integer({ min: 1, max: 5000 });
    const step = fc.record({ bytes: size, free: fc.boolean(), which: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const memory = createZoneMemory(2 << 20, 1);
        const arena = new Arena(memory);
        const live: { at: number; bytes: number }[] = [];
        for (const { bytes, free, which } of steps) {
          const at = arena.alloc(bytes);
          if (at === undefined) continue;
          expect(at % 16).toBe(0);
          expect(at).toBeGreaterThanOrEqual(HEAD_BYTES);
          for (const other of live) expect(at >= other.at + other.bytes || at + bytes <= other.at).toBe(true);
          live.push({ at, bytes });
          if (!free) continue;
          const [gone] = live.splice(which % live.length, 1);
          if (gone !== undefined) arena.retire(gone.at, gone.bytes);
          arena.reclaim();
        }
      }),
      { numRuns: 50 },
    );
  });

  test("is undefined when the memory is full, and works again after a block comes back", () => {
    const arena = new Arena(createZoneMemory(HEAD_BYTES + 1024, 1));
    const first = arena.alloc(1000);
    expect(arena.alloc(16)).toBe(HEAD_BYTES + 1008);
    expect(arena.alloc(1)).toBeUndefined();
    arena.retire(first ?? 0, 1000);
    arena.reclaim();
    expect(arena.alloc(1001)).toBe(first);
    expect(arena.usedBytes).toBe(1024);
  });

  test("loses at most an eighth of a large block", () => {
    for (let bytes = 1025; bytes < 1 << 20; bytes = Math.ceil(bytes * 1.07)) {
      const arena = new Arena(createZoneMemory(4 << 20, 1));
      arena.alloc(bytes);
      expect(arena.usedBytes).toBeLessThanOrEqual(bytes * 1.125 + 16);
    }
  });
});

describe("reclaim()", () => {
  test("keeps a block while a reader that entered before may look at it", () => {
    const memory = createZoneMemory(64 << 10, 1);
    const arena = new Arena(memory);
    const block = arena.alloc(100) ?? 0;
    enterZone(memory, 3);
    arena.retire(block, 100);
    arena.reclaim();
    expect(arena.alloc(100)).not.toBe(block);
    leaveZone(memory, 3);
    arena.reclaim();
    expect(arena.alloc(100)).toBe(block);
  });

  test("does not wait for a reader that entered after the block was unlinked", () => {
    const memory = createZoneMemory(64 << 10, 1);
    const arena = new Arena(memory);
    const block = arena.alloc(100) ?? 0;
    arena.retire(block, 100);
    arena.reclaim();
    enterZone(memory, 0);
    arena.reclaim();
    expect(arena.alloc(100)).toBe(block);
  });

  test("is right when epochs wrap, and never uses 0", () => {
    const memory = createZoneMemory(64 << 10, 1);
    for (const start of [0x7fffffff, -1]) {
      const arena = new Arena(memory);
      memory.words[HEAD.epoch] = start;
      const block = arena.alloc(100) ?? 0;
      enterZone(memory, 0);
      arena.retire(block, 100);
      arena.reclaim();
      expect(memory.words[HEAD.epoch]).not.toBe(0);
      expect(arena.alloc(100)).not.toBe(block);
      leaveZone(memory, 0);
      arena.reclaim();
      expect(arena.alloc(100)).toBe(block);
    }
  });
});
