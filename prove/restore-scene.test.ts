import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { LoopbackBroker } from "./loopback-broker.ts";
import { RestoreScene } from "./restore-scene.ts";

test("a broker that is lost and restored from an older backup: no name lost or risen, no address given twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "meridian-restore-"));
  const scene = new RestoreScene(await LoopbackBroker.open(folder, ["--quarantine", "0"]), folder);
  try {
    const { faults, lost, asked, speakMs } = await scene.run(1000, () => {});
    expect(faults).toEqual([]);
    expect([lost, asked > 100]).toEqual([0, true]);
    expect(speakMs).toBeLessThan(10_000);
  } finally {
    await scene.end();
    rmSync(folder, { recursive: true });
  }
}, 90_000);
