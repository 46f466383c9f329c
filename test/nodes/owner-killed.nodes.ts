import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { findNodeTools, footprint, leftovers, sweepRun } from "#lab";

const tools = await findNodeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);
const SCRIPT = fileURLToPath(new URL("./raise-and-wait.ts", import.meta.url));

describe.skipIf(!tools.ok)("a cluster whose owner was killed", () => {
  test("is found and removed whole by its run's folder", async () => {
    const owner = spawn(process.execPath, [SCRIPT], { stdio: ["ignore", "pipe", "inherit"] });
    const lines = createInterface(owner.stdout)[Symbol.asyncIterator]();
    const run = { id: "", folder: String((await lines.next()).value) };
    try {
      const nothing = await footprint(run);
      expect((await lines.next()).value).toBe("up");
      owner.kill("SIGKILL");
      await once(owner, "exit");
      const during = await footprint(run);
      expect(during.processes.length).toBeGreaterThan(10);
      expect(during.cgroups.length).toBeGreaterThan(0);
      await sweepRun(run);
      expect(await leftovers(run, nothing, during)).toEqual([]);
    } finally {
      owner.kill("SIGKILL");
      await sweepRun(run);
    }
  }, 600_000);
});
