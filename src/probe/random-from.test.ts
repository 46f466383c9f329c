import fc from "fast-check";
import { expect, test } from "vitest";
import { randomFrom } from "./random-from.ts";

test("randomFrom() repeats itself for a seed, and differs for another", () => {
  const draw = (seed: number): number[] => Array.from({ length: 5 }, randomFrom(seed));
  expect(draw(0.25)).toEqual(draw(0.25));
  expect(draw(0.25)).not.toEqual(draw(0.26));
});

test("randomFrom() gives numbers in [0, 1) that fill it evenly", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (seed) => {
      const random = randomFrom(seed);
      const tenths = new Array<number>(10).fill(0);
      for (let i = 0; i < 10_000; i += 1) {
        const tenth = Math.floor(random() * 10);
        tenths[tenth] = (tenths[tenth] ?? 0) + 1;
      }
      expect(tenths).toHaveLength(10);
      for (const count of tenths) expect(Math.abs(count - 1000)).toBeLessThan(200);
    }),
    { numRuns: 20 },
  );
});
