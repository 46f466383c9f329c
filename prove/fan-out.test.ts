import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fanOutOf, growthOf } from "./fan-out.ts";
import { LoopbackBroker } from "./loopback-broker.ts";

test("fanOutOf() sees every change of every member once, at every other, and all again after a reconnect", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meridian-fan-"));
  const broker = await LoopbackBroker.open(folder);
  try {
    const seen = await fanOutOf(broker, folder, { members: 12, perSecond: 60, seconds: 4 });
    expect(seen).toMatchObject({ missed: 0, twice: 0, differ: 0, refused: 0 });
    // Nobody is told of its own: the members count those of the eleven others and the own ones that come back.
    expect(seen.deliveries).toBe(seen.changes * 12);
    expect(seen.changes).toBeGreaterThan(200);
  } finally {
    await broker.end("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}, 60_000);

describe("growthOf()", () => {
  test("is nothing where the last half is flat, whatever came before", () => {
    expect(growthOf([10, 50, 90, 100, 100, 100, 100, 100])).toBe(0);
  });

  test("is what the last quarter has more than the one before", () => {
    expect(growthOf([1, 1, 1, 1, 100, 100, 120, 120])).toBeCloseTo(0.2);
  });
});
