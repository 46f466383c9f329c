import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKubeTools } from "#lab";
import { countRows } from "../test/standards/row-count.ts";
import { TABLE_1_2 } from "../test/standards/table-1.2.ts";
import type { Line } from "./line.ts";
import { runTests } from "./run-tests.ts";

/** kube2: every row of the Multi-Cluster Services API, and every fault of an API server, against real API servers. */
export const kube2: Line = {
  title: "the Multi-Cluster Services API on real API servers, every row",
  required: "every E, I, IP, H, EP and C row has a test that passed; 0 failed",
  async run(say, signal) {
    const tools = await findKubeTools();
    if (!tools.ok) return { measured: tools.error, holds: false, details: [] };
    const folder = await mkdtemp(join(tmpdir(), "meridian-kube-"));
    try {
      say("running test/kube (kube)");
      const { passed, failed, outcomes } = await runTests("kube", ["test/kube"], join(folder, "kube.json"), signal);
      const { lines, missing } = countRows([TABLE_1_2], outcomes);
      return {
        measured: `${lines[0]}; ${passed} passed, ${failed.length} failed`,
        holds: missing.length === 0 && failed.length === 0 && passed > 0,
        details: [...missing.map((id) => `WITHOUT A TEST ${id}`), ...failed.map((name) => `FAILED ${name}`)],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
