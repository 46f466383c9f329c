import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { detection } from "./detection.ts";
import { serviceTable } from "./service-table.ts";
import { updateCost } from "./update-cost.ts";

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const ask = { quick: true, say: () => {}, signal: AbortSignal.timeout(60_000) };

describe("a smoke", () => {
  test("serviceTable compares all sizes, a change and the shares, and says what it skipped", async () => {
    const { rows, notes } = await serviceTable.run(ask);
    const what = rows.map((row) => row.what);
    expect(what).toEqual([
      "connect, 100 services",
      "connect, 1,000 services",
      "connect, 10,000 services",
      "one change among 10,000 applied",
      "share of 1,000 connections",
    ]);
    expect(rows.slice(0, 3).every(({ ratio }) => ratio.median > 0)).toBe(true);
    expect(notes.join()).toContain("1000 accepted");
    expect(notes.join()).toContain("kube-proxy");
  });

  test("updateCost finds one element cheaper than listing and appending", async () => {
    const { rows } = await updateCost.run(ask);
    expect(rows[0]?.ratio.median).toBeLessThan(1);
    expect(rows.every(({ ratio }) => ratio.median > 0)).toBe(true);
  });
});

describe("a smoke of detection", () => {
  test("cuts a wire under all contenders at once, or says aloud which is missing", async () => {
    const { rows, notes } = await detection.run(ask);
    expect(rows[0]?.what).toContain("Submariner's rule");
    expect(rows[0]?.ratio.median).toBeLessThan(1);
    expect(rows.length === 4 || notes.join().includes("SKIPPED bfdd")).toBe(true);
  });
});

describe("the call", () => {
  test.each([
    [["--help"], 0],
    [["--nonsense"], 2],
    [["no-such-benchmark"], 2],
  ])("%j ends with %d and shows how it is called", (args, code) => {
    const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });
    expect(status).toBe(code);
    expect(stderr).toContain("make bench");
  });
});
