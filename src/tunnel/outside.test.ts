import { describe, expect, test } from "vitest";
import { err, ok } from "#values";
import { allOf, batchFaults, outside } from "./outside.ts";

describe("batchFaults()", () => {
  test("says which line failed, and why", () => {
    const stderr =
      "Error: Nexthop has invalid gateway.\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:3";
    expect(batchFaults(["route add a", "route add b", "route add c"], stderr)).toEqual([
      "ip route add a: Error: Nexthop has invalid gateway.",
      "ip route add c: somebody else has it already",
    ]);
  });

  test("finds none in silence", () => {
    expect(batchFaults([], "")).toEqual([]);
  });
});

describe("outside()", () => {
  test("gives what a program prints", async () => {
    expect(await outside(["cat"], "text")).toEqual(ok("text"));
  });

  test("gives one line for a program that fails or is missing", async () => {
    expect(await outside(["false"])).toEqual(err("false failed (exit 1): "));
    expect(await outside(["no-such-program"])).toEqual(err("no-such-program is not installed"));
  });
});

test("allOf() gives all values, or the first error", () => {
  expect(allOf<[number, string]>([ok(1), ok("a")])).toEqual(ok([1, "a"]));
  expect(allOf<[number, string]>([err("first"), err("second")])).toEqual(err("first"));
});
