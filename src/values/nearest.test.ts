import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nearest } from "./nearest.ts";

const FLAGS = ["--data", "--dns", "--http", "--pod-cidr", "--service-cidr", "--listen-port"];

describe("nearest() finds what was probably meant", () => {
  test.each([
    ["--dat", "--data"],
    ["--pod-cdir", "--pod-cidr"],
    ["--podcidr", "--pod-cidr"],
    ["--services-cidr", "--service-cidr"],
    ["--listenport", "--listen-port"],
    ["--HTTP", undefined],
    ["--frobnicate", undefined],
    ["", undefined],
  ])("%s: %s", (word, meant) => {
    expect(nearest(word, FLAGS)).toBe(meant);
  });

  test("of nothing is nothing", () => {
    expect(nearest("x", [])).toBeUndefined();
  });

  test("a known word is nearest to itself, and a word with one letter less is near, too", () => {
    fc.assert(
      fc.property(fc.constantFrom(...FLAGS), fc.nat(), (flag, at) => {
        const cut = at % flag.length;
        expect(nearest(flag, FLAGS)).toBe(flag);
        expect(nearest(flag.slice(0, cut) + flag.slice(cut + 1), [flag])).toBe(flag);
      }),
    );
  });

  test("a word of any length costs little", () => {
    expect(nearest("x".repeat(1_000_000), FLAGS)).toBeUndefined();
  });
});
