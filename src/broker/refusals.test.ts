import { beforeEach, describe, expect, test } from "vitest";
import type { Ip } from "#values";
import { Refusals, strangerAt } from "./refusals.ts";
import { memoryBook, SimClock } from "./testbed.ts";

const entry = { actor: "a", action: "login", subject: "b", detail: "c" };

describe("Refusals", () => {
  let clock: SimClock;
  let book: ReturnType<typeof memoryBook>;
  let refusals: Refusals;
  const lines = (): string[] => book.store.audit(0, 10_000).map(({ detail }) => detail);
  beforeEach(() => {
    clock = new SimClock();
    book = memoryBook(clock);
    refusals = new Refusals(book, clock);
  });

  test("write each with who, what and why, until a source is beyond its rate", () => {
    const written = Array.from({ length: 100 }, () => refusals.note("x", entry));
    expect(written.filter(Boolean)).toHaveLength(20);
    expect(book.store.audit(0, 1)).toMatchObject([{ ...entry, outcome: "refused" }]);
    expect(lines()).toHaveLength(20);
    expect(refusals.isSpent("x")).toBe(true);
  });

  test("let no source use up another's", () => {
    for (let i = 0; i < 100; i++) refusals.note("x", entry);
    expect(refusals.isSpent("y")).toBe(false);
    expect(refusals.note("y", entry)).toBe(true);
  });

  test("write again after a while", () => {
    for (let i = 0; i < 100; i++) refusals.note("x", entry);
    clock.advance(6000);
    expect([1, 2, 3].map(() => refusals.note("x", entry))).toEqual([true, true, false]);
  });

  test("say once how many were left out, and of whom", () => {
    for (let i = 0; i < 25; i++) refusals.note("x", entry);
    for (let i = 0; i < 22; i++) refusals.note("y", entry);
    refusals.summarize();
    refusals.summarize();
    expect(lines().slice(40)).toEqual(["7 refusals have no line of their own: 5 of x, 2 of y"]);
  });

  test("[CVE-2026-55512] keep their memory bounded, however many sources there are", () => {
    for (let i = 0; i < 6000; i++) refusals.note(`s${i}`, entry);
    refusals.summarize();
    expect(lines()).toHaveLength(4096 + 20 + 1);
    expect(lines().at(-1)).toContain("of others");
    clock.advance(120_000);
    refusals.summarize();
    expect(refusals.note("late", entry)).toBe(true);
  });
});

describe("strangerAt()", () => {
  test("takes the /64 of an IPv6 address for one stranger, and an IPv4 address as it is", () => {
    expect(strangerAt("192.0.2.7" as Ip)).toBe("192.0.2.7");
    expect(strangerAt("2001:db8:1:2::9" as Ip)).toBe(strangerAt("2001:db8:1:2:3::1" as Ip));
    expect(strangerAt("2001:db8:1:2::9" as Ip)).not.toBe(strangerAt("2001:db8:1:3::9" as Ip));
  });
});
