import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { median, percentile, spread } from "./stats.ts";

const numbers = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 50 });
const shares = fc.double({ min: 0.001, max: 1, noNaN: true });

describe("percentile()", () => {
  test.each([
    [0.5, 5],
    [0.9, 9],
    [0.91, 10],
    [0.99, 10],
    [1, 10],
    [0.01, 1],
  ])("at %d of 1 to 10 is %d, by nearest rank", (q, want) => {
    expect(percentile([10, 3, 5, 1, 2, 4, 6, 9, 8, 7], q)).toBe(want);
  });

  test("is NaN of nothing", () => {
    expect(percentile([], 0.5)).toBeNaN();
  });

  test.each([0, -0.1, 1.01, Number.NaN])("refuses %d, naming it", (q) => {
    expect(() => percentile([1], q)).toThrow(`current value is ${q}`);
  });

  test("is always one of the values, and a share q of them does not exceed it", () => {
    fc.assert(
      fc.property(numbers, shares, (values, q) => {
        const at = percentile(values, q);
        expect(values).toContain(at);
        expect(values.filter((value) => value <= at).length).toBeGreaterThanOrEqual(q * values.length - 1e-9);
      }),
    );
  });

  test("rises with q", () => {
    fc.assert(
      fc.property(numbers, shares, shares, (values, p, q) => {
        expect(percentile(values, Math.min(p, q))).toBeLessThanOrEqual(percentile(values, Math.max(p, q)));
      }),
    );
  });
});

describe("median()", () => {
  test("is the middle of an odd number of values", () => {
    expect(median([9, 1, 5])).toBe(5);
  });

  test("is the mean of the two middle ones of an even number", () => {
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  test("is NaN of nothing", () => {
    expect(median([])).toBeNaN();
  });

  test("leaves its values in their order", () => {
    const values = [3, 1, 2];
    median(values);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe("spread()", () => {
  test("gives median, least and greatest", () => {
    expect(spread([2, 8, 4])).toEqual({ median: 4, min: 2, max: 8 });
  });

  test("is NaN throughout of nothing, so that no target is met by it", () => {
    expect(spread([])).toEqual({ median: Number.NaN, min: Number.NaN, max: Number.NaN });
  });

  test("holds every value between its ends", () => {
    fc.assert(
      fc.property(numbers, (values) => {
        const { min, max } = spread(values);
        expect(values.every((value) => value >= min && value <= max)).toBe(true);
      }),
    );
  });
});
