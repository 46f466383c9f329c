import fc from "fast-check";
import { expect, test } from "vitest";
import { BUCKETS, Histogram } from "./histogram.ts";

test("cumulative() counts a value in every bucket that it fits in, bounds included", () => {
  const histogram = new Histogram();
  for (const seconds of [0.0004, 0.0005, 0.003, 2]) histogram.add(seconds);
  const counts = Object.fromEntries(histogram.cumulative().map(({ le, count }) => [le, count]));
  expect(counts).toMatchObject({ 0.0005: 2, 0.001: 2, 0.0025: 2, 0.005: 3, 1: 3 });
  expect(histogram.count).toBe(4);
  expect(histogram.sum).toBeCloseTo(2.0039);
});

test("cumulative() equals counting by hand", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 2, noNaN: true })), (values) => {
      const histogram = new Histogram();
      for (const value of values) histogram.add(value);
      const byHand = BUCKETS.map((le) => ({ le, count: values.filter((value) => value <= le).length }));
      expect(histogram.cumulative()).toEqual(byHand);
      expect(histogram.count).toBe(values.length);
    }),
  );
});
