import { describe, expect, test } from "vitest";
import { type Outcome, ratioRow } from "./benchmark.ts";
import { failures, reportText } from "./report.ts";
import { textTable } from "./text-table.ts";
import { megabits, micros, millis } from "./units.ts";

const pairs = [
  { a: 10, b: 20 },
  { a: 30, b: 20 },
  { a: 22, b: 20 },
];
const unit = (value: number) => `${value} x`;

describe("ratioRow()", () => {
  test("gives medians of both, and of the ratios pair by pair", () => {
    const row = ratioRow("what", pairs, unit);
    expect(row).toMatchObject({ a: "22 x", b: "20 x", target: "", holds: null });
    expect(row.ratio).toEqual({ median: 1.1, min: 0.5, max: 1.5 });
  });

  test.each([
    [{ most: 1.1 }, true, "<= 1.1"],
    [{ most: 1.09 }, false, "<= 1.09"],
    [{ least: 1.1 }, true, ">= 1.1"],
    [{ least: 1.2 }, false, ">= 1.2"],
    [{ least: 1, most: 1.2 }, true, ">= 1, <= 1.2"],
    [{ most: 1 / 0.95 }, false, "<= 1.05"],
  ])("judges the median by %o: %s", (limit, holds, target) => {
    expect(ratioRow("what", pairs, unit, limit)).toMatchObject({ holds, target });
  });

  test("holds nothing when nothing was measured", () => {
    expect(ratioRow("what", [], unit, { most: 1 }).holds).toBe(false);
  });
});

describe("reportText()", () => {
  const rows = [ratioRow("fast", pairs, unit, { most: 2 }), ratioRow("slow", pairs, unit, { most: 1 })];
  const outcome: Outcome = { compared: "A: this, B: that", rows, notes: ["skipped: a third"] };

  test("says what was compared, then each row with its ratio, target and verdict, then the notes", () => {
    const text = reportText("title", outcome);
    expect(text).toContain("title\nA: this, B: that\n");
    expect(text).toMatch(/fast +22 x +20 x +1\.100 +0\.500 - 1\.500 +<= 2 +holds/);
    expect(text).toMatch(/slow .* <= 1 +MISSED/);
    expect(text.endsWith("  skipped: a third\n")).toBe(true);
  });

  test("failures() names the rows that miss their target", () => {
    expect(failures(outcome)).toEqual(["slow"]);
  });
});

describe("textTable()", () => {
  test("gives every column the width of its widest cell, and no blanks at the ends", () => {
    expect(textTable(["a", "long"], [["wide", "x"], ["y"]])).toBe("a     long\n----  ----\nwide  x\ny\n");
  });
});

describe("units", () => {
  test.each([
    [micros(12.34), "12.3 µs"],
    [millis(1.234), "1.23 ms"],
    [millis(123.4), "123 ms"],
    [megabits(1_750_000_000), "1750 Mbit/s"],
  ])("%s", (text, want) => {
    expect(text).toBe(want);
  });
});
