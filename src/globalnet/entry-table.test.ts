import { describe, expect, test } from "vitest";
import { EntryTable } from "./entry-table.ts";
import { exampleEntry } from "./testbed-plan.ts";

const KEY = "242.192.0.1 TCP 80";
const ONE = exampleEntry(KEY, ["242.2.0.1:80"]);
const TWO = exampleEntry(KEY, ["242.3.0.1:80"]);

/** A table with one entry, and a clock that a test moves. */
function table() {
  const clock = { time: 0, monotonic: () => clock.time };
  const entries = new EntryTable(clock, 10_000);
  entries.put(KEY, ONE);
  return { clock, entries };
}

describe("EntryTable", () => {
  test("what is withdrawn stays as long as clients may remember it, and is gone then", () => {
    const { clock, entries } = table();
    entries.retire([KEY, "242.192.0.9 TCP 80"]);
    expect(entries.nextAt()).toBe(10_000);
    clock.time = 9999;
    entries.expire();
    expect(entries.entries.get(KEY)).toBe(ONE);
    clock.time = 10_000;
    entries.expire();
    expect([entries.entries.size, entries.nextAt()]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  test("withdrawn again in the meantime it goes when it was to go first", () => {
    const { clock, entries } = table();
    entries.retire([KEY]);
    clock.time = 5000;
    entries.retire([KEY]);
    expect(entries.nextAt()).toBe(10_000);
  });

  test("what comes back in the meantime stays for good", () => {
    const { clock, entries } = table();
    entries.retire([KEY]);
    entries.put(KEY, TWO);
    clock.time = 20_000;
    entries.expire();
    expect(entries.entries.get(KEY)).toBe(TWO);
  });

  test("tells what was changed since it was asked, and at first that all may be", () => {
    const { clock, entries } = table();
    expect(entries.takeChanged()).toBeUndefined();
    expect(entries.takeChanged()).toEqual(new Set());
    entries.put(KEY, exampleEntry(KEY, ["242.2.0.1:80"]));
    expect(entries.takeChanged()).toEqual(new Set());
    entries.put(KEY, TWO);
    expect(entries.takeChanged()).toEqual(new Set([KEY]));
    entries.retire([KEY]);
    expect(entries.takeChanged()).toEqual(new Set());
    clock.time = 10_000;
    entries.expire();
    expect(entries.takeChanged()).toEqual(new Set([KEY]));
  });
});
