import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { joinStorm } from "./join-storm.ts";
import { LoopbackBroker } from "./loopback-broker.ts";

test("joinStorm() finds nothing lost, nothing twice and no overlap while the broker is killed (F3)", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meridian-storm-"));
  const broker = await LoopbackBroker.open(folder, ["--quarantine", "0"]);
  try {
    const storm = await joinStorm(broker, { joins: 40, kills: 3, parallel: 3, random: Math.random });
    expect(storm.faults).toEqual([]);
    expect([storm.told.length, storm.kills]).toEqual([40, 3]);
    // Prefixes went from one to the next: without that nothing could overlap in time.
    expect(new Set(storm.told.map(({ prefix }) => prefix)).size).toBeLessThan(40);
  } finally {
    await broker.end("SIGKILL");
    rmSync(folder, { recursive: true });
  }
}, 60_000);
