import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { assign, quotas } from "./share.ts";

const weights = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.integer({ min: 1, max: 1000 }), {
  minKeys: 1,
  maxKeys: 60,
});

function counted(buckets: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of buckets) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

describe("quotas()", () => {
  test("gives all buckets away, and each weight at least one", () => {
    fc.assert(
      fc.property(weights, fc.constantFrom(128, 1024), (dictionary, buckets) => {
        const given = [...quotas(new Map(Object.entries(dictionary)), buckets).values()];
        expect(given.reduce((sum, n) => sum + n, 0)).toBe(buckets);
        expect(Math.min(...given)).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("is within one bucket of the exact share where no share is below one", () => {
    const given = quotas(
      new Map([
        ["a", 50],
        ["b", 30],
        ["c", 20],
      ]),
      1024,
    );
    expect([...given.values()]).toEqual([512, 307, 205]);
  });

  test("lifts a small weight to one bucket", () => {
    expect(
      quotas(
        new Map([
          ["much", 100_000],
          ["little", 1],
        ]),
        128,
      ),
    ).toEqual(
      new Map([
        ["much", 127],
        ["little", 1],
      ]),
    );
  });

  test("breaks a tie for whoever holds more already, then by name", () => {
    const tie = new Map([
      ["a", 1],
      ["b", 1],
      ["c", 1],
    ]);
    expect([...quotas(tie, 128).values()]).toEqual([43, 43, 42]);
    expect([
      ...quotas(
        tie,
        128,
        new Map([
          ["a", 42],
          ["b", 43],
          ["c", 43],
        ]),
      ).values(),
    ]).toEqual([42, 43, 43]);
  });
});

describe("assign()", () => {
  test("is its own fixed point: a second assignment moves nothing", () => {
    fc.assert(
      fc.property(weights, weights, fc.constantFrom(128, 1024), (first, second, buckets) => {
        const before = assign([], new Map(Object.entries(first)), buckets);
        const after = assign(before, new Map(Object.entries(second)), buckets);
        expect(assign(after, new Map(Object.entries(second)), buckets)).toEqual(after);
        expect(counted(after)).toEqual(quotas(new Map(Object.entries(second)), buckets, counted(before)));
      }),
    );
  });

  test("moves only the buckets of an endpoint that went", () => {
    const before = assign(
      [],
      new Map([
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ]),
      128,
    );
    const after = assign(
      before,
      new Map([
        ["a", 1],
        ["c", 1],
      ]),
      128,
    );
    const moved = before.filter((endpoint, i) => endpoint !== after[i]);
    expect(new Set(moved)).toEqual(new Set(["b"]));
  });

  test("takes only what an endpoint that came is due", () => {
    const before = assign(
      [],
      new Map([
        ["a", 1],
        ["b", 1],
      ]),
      1024,
    );
    const after = assign(
      before,
      new Map([
        ["a", 1],
        ["b", 1],
        ["c", 1],
      ]),
      1024,
    );
    const moved = before.filter((endpoint, i) => endpoint !== after[i]);
    expect(moved).toHaveLength(341);
    expect(counted(after).get("c")).toBe(341);
  });

  test("keeps a client's endpoint when 128 buckets become 1,024", () => {
    const two = new Map([
      ["a", 1],
      ["b", 3],
    ]);
    const coarse = assign([], two, 128);
    const fine = assign(coarse, two, 1024);
    for (let i = 0; i < 1024; i += 1) expect(fine[i]).toBe(coarse[Math.floor(i / 8)]);
  });

  test("fills holes that a damaged table has", () => {
    expect(
      assign(
        ["a", undefined],
        new Map([
          ["a", 1],
          ["b", 1],
        ]),
        2,
      ),
    ).toEqual(["a", "b"]);
  });
});
