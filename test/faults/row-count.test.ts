import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { countFaults } from "./row-count.ts";
import { ADVISORIES, FAULTS } from "./rows.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe("countFaults()", () => {
  const [faults, advisories] = [[{ id: "F1", title: "" }], [{ id: "CVE-1", title: "" }]];
  const passed = (fullName: string) => ({ fullName, status: "passed" });

  test("takes an id anywhere in a name, a fault's as a word and an advisory's in brackets", () => {
    const outcomes = [passed("a gateway F1 killed"), passed("[CVE-1] a token")];
    expect(countFaults(faults, advisories, outcomes)).toEqual({ line: "fault rows: 2 of 2 have a test", missing: [] });
    expect(countFaults(faults, [], [passed("a thing (F1)")]).missing).toEqual([]);
  });

  test("takes neither a part of another id nor a test that did not pass", () => {
    const outcomes = [passed("F11 more"), passed("CVE-1"), { fullName: "F1 [CVE-1]", status: "failed" }];
    expect(countFaults(faults, advisories, outcomes).missing).toEqual(["F1", "CVE-1"]);
  });
});

describe("the rows", () => {
  test("have a title each, and no id twice", () => {
    const all = [...FAULTS, ...ADVISORIES];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    for (const { title } of all) expect(title.length).toBeGreaterThan(20);
  });

  // A run of all tests counts those that passed; this finds a row that nobody has written a test for, in a second.
  test("each stand in the name of a test", () => {
    const folders = ["src", "test"].map((name) => join(ROOT, name));
    const files = folders.flatMap((folder) => {
      const names = readdirSync(folder, { recursive: true }) as string[];
      return names.filter((name) => /\.(test|host|long)\.ts$/.test(name)).map((name) => join(folder, name));
    });
    const text = files.filter((file) => file !== import.meta.filename).map((file) => readFileSync(file, "utf8"));
    const outcomes = text.flatMap((one) =>
      Array.from(one.matchAll(/^.*".*$/gm), ([line]) => ({ fullName: line, status: "passed" })),
    );
    expect(countFaults(FAULTS, ADVISORIES, outcomes).missing).toEqual([]);
  });
});
