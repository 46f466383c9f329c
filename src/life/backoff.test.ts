import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backoffMs } from "./backoff.ts";

describe("backoffMs()", () => {
  test("doubles from the first wait up to the greatest", () => {
    const waits = [0, 1, 2, 3, 6, 7, 8, 1000].map((n) => backoffMs(n, () => 0));
    expect(waits).toEqual([250, 500, 1000, 2000, 16_000, 30_000, 30_000, 30_000]);
  });

  test("takes away up to jitter of itself", () => {
    expect(backoffMs(2, () => 0.5)).toBe(500);
    expect(backoffMs(2, () => 1, { jitter: 0.25 })).toBe(750);
    expect(backoffMs(2, () => 1, { jitter: 0 })).toBe(1000);
  });

  test("is never negative, never over the greatest, at any attempt", () => {
    const random = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.nat(10_000), random, random, (n, chance, jitter) => {
        const wait = backoffMs(n, () => chance, { firstMs: 10, maxMs: 5000, jitter });
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(5000);
      }),
    );
  });

  test.each([-0.1, 1.1, Number.NaN])("throws at a jitter of %d, with the rule and the value", (jitter) => {
    expect(() => backoffMs(0, () => 0, { jitter })).toThrow(
      `jitter must be between 0 and 1: current value is ${jitter}`,
    );
  });
});
