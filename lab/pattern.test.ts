import fc from "fast-check";
import { expect, test } from "vitest";
import { isPattern, patternAt } from "./pattern.ts";

test("isPattern() accepts every piece of patternAt() at its place, however it is cut", () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.nat(2000), fc.nat(2000), (offset, first, second) => {
      const whole = patternAt(offset, first + second);
      expect(isPattern(whole.subarray(0, first), offset)).toBe(true);
      expect(isPattern(whole.subarray(first), offset + first)).toBe(true);
    }),
  );
});

test("isPattern() notices a byte that is wrong and a chunk that is missing", () => {
  const bytes = patternAt(0, 1000);
  bytes[500] = (bytes[500] ?? 0) ^ 1;
  expect(isPattern(bytes, 0)).toBe(false);
  expect(isPattern(patternAt(8192, 100), 0)).toBe(false);
});
