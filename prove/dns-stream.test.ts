import { expect, test } from "vitest";
import { outagesOf } from "./dns-stream.ts";

test("outagesOf() joins failures with less than half a second of good answers between them", () => {
  expect(outagesOf([])).toEqual([]);
  expect(outagesOf([100])).toEqual([{ atMs: 100, ms: 0 }]);
  expect(outagesOf([130, 100, 110, 600, 1100])).toEqual([
    { atMs: 100, ms: 500 },
    { atMs: 1100, ms: 0 },
  ]);
});
