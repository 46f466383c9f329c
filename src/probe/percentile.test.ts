import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { percentile } from "./percentile.ts";

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 300 });

describe("percentile()", () => {
  test("is the nearest rank of the sorted values", () => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (list, q) => {
        const sorted = list.toSorted((a, b) => a - b);
        const rank = Math.max(0, Math.ceil(q * list.length) - 1);
        expect(percentile(Float64Array.from(list), list.length, q)).toBe(sorted[rank]);
      }),
    );
  });

  test("loses no value while it reorders them", () => {
    fc.assert(
      fc.property(values, (list) => {
        const array = Float64Array.from(list);
        for (const q of [0.5, 0.9, 0.99]) percentile(array, array.length, q);
        expect([...array.sort()]).toEqual([...Float64Array.from(list).sort()]);
      }),
    );
  });

  test("looks only at the first values", () => {
    expect(percentile(Float64Array.of(3, 1, 2, 99, 99), 3, 1)).toBe(3);
  });

  test("selects among 100,000 equal or sorted values quickly", () => {
    const equal = new Float64Array(100_000).fill(7);
    const rising = Float64Array.from({ length: 100_000 }, (_, i) => i);
    expect(percentile(equal, equal.length, 0.5)).toBe(7);
    expect(percentile(rising, rising.length, 0.99)).toBe(98_999);
  });

  test("refuses what is no share and what is no count", () => {
    expect(() => percentile(Float64Array.of(1), 1, 1.5)).toThrow("q must be between 0 and 1: current value is 1.5");
    expect(() => percentile(Float64Array.of(1), 0, 0.5)).toThrow("count must be 1 to 1: 0");
  });
});
