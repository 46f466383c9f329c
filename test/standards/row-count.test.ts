import { describe, expect, test } from "vitest";
import { page } from "../docs/pages.ts";
import { countRows } from "./row-count.ts";
import { table } from "./table.ts";
import { TABLES } from "./tables.ts";

const SMALL = [table("1.1", "first", { a: "…", b: "…" }), table("1.2", "second", { M1: "…" })];

describe("countRows()", () => {
  test("counts a row once, whatever number of tests carry it, by their own name or their group's", () => {
    const outcomes = [
      { fullName: "udp [1.1-a] [1.2-M1] says a", status: "passed" },
      { fullName: "tcp [1.1-a] says a", status: "passed" },
    ];
    expect(countRows(SMALL, outcomes)).toEqual({
      lines: [
        "standard rows 1.1: 1 of 2 have a test (first)",
        "standard rows 1.2: 1 of 1 have a test (second)",
        "standard rows: 2 of 3 have a test",
      ],
      missing: ["1.1-b"],
      unknown: [],
    });
  });

  test("a test that was left out or failed is none", () => {
    const outcomes = [
      { fullName: "[1.1-a]", status: "skipped" },
      { fullName: "[1.1-b]", status: "failed" },
      { fullName: "[1.2-M1]", status: "passed" },
    ];
    expect(countRows(SMALL, outcomes).missing).toEqual(["1.1-a", "1.1-b"]);
  });

  test("an id that no table has is named", () => {
    expect(countRows(SMALL, [{ fullName: "[1.1-c] and [not a row]", status: "passed" }]).unknown).toEqual(["1.1-c"]);
  });
});

describe("the tables", () => {
  test("no id occurs twice", () => {
    const ids = TABLES.flatMap(({ rows }) => rows.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
  });

  test("ids are such that a test's name can carry them, and each row says what it demands", () => {
    for (const { id, text } of TABLES.flatMap(({ rows }) => rows)) {
      expect(countRows([], [{ fullName: `[${id}]`, status: "passed" }]).unknown).toEqual([id]);
      expect(text.length).toBeGreaterThan(10);
      expect(text).not.toContain("\n");
    }
  });

  test("docs/standards.md names every table", () => {
    const { text } = page("docs/standards.md");
    for (const { id, title } of TABLES) expect(text).toContain(`| ${id} | ${title} |`);
  });
});
