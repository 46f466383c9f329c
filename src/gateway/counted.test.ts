import { expect, test } from "vitest";
import { Counted } from "./counted.ts";

test("Counted keeps a member until everybody who put it has taken it", () => {
  const counted = new Counted<string>();
  counted.put(["b", "a"]);
  counted.put(["a"]);
  counted.take(["a"]);
  expect(counted.sorted()).toEqual(["a", "b"]);
  counted.take(["a", "b"]);
  expect(counted.sorted()).toEqual([]);
});

test("Counted takes what was never put without a trace", () => {
  const counted = new Counted<string>();
  counted.take(["a"]);
  counted.put(["a"]);
  expect(counted.sorted()).toEqual(["a"]);
});
