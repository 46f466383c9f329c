import { expect, test } from "vitest";
import { findKubeTools } from "#lab";
import { apiAway } from "./api-away.ts";
import { addService, exportService, importOf, slicesOf } from "./objects.ts";
import { raisePair } from "./scene.ts";

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

const AWAY_MS = 30 * 60_000;

test.skipIf(!tools.ok)(
  "an API server that is away for half an hour costs no answer, and no write that is not needed (F29, F33)",
  async () => {
    if (!tools.ok) return;
    const { scene, amber, birch } = await raisePair(tools.value);
    try {
      for (const name of ["stays", "goes"]) {
        await addService(amber, name);
        await exportService(amber, name);
        await importOf(birch, name);
        await slicesOf(birch, name, 1);
      }
      const { convergedMs, asked, writes } = await apiAway({ amber, birch }, AWAY_MS);
      process.stderr.write(
        `${asked} answers, none missing; converged after ${convergedMs.toFixed(0)} ms, ${writes} writes\n`,
      );
      expect(asked).toBeGreaterThan(30_000);
    } finally {
      await scene.down();
    }
  },
  AWAY_MS + 300_000,
);
