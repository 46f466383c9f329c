import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKubeTools, findNodeTools } from "#lab";
import type { Line, Proof } from "./line.ts";
import { runTests } from "./run-tests.ts";

/** kube2Demands: what upstream's suite demands of pods, names and objects, in both modes. */
export const kube2Demands: Line = {
  title: "what the MCS API's own suite demands, untranslated and translated",
  required: "every demand is met; translated all but the one for pod addresses in other clusters",
  async run(say, signal) {
    const tools = await findNodeTools();
    return tools.ok ? longTest("test/nodes/mcs-conformance.long.ts", say, signal) : without(tools.error);
  },
};

/** kube4Away: half an hour without an API server. */
export const kube4Away: Line = {
  title: "an API server away for half an hour",
  required: "no query without its answer; what happened meanwhile is there within 5 s of its return; no write too many",
  async run(say, signal) {
    const tools = await findKubeTools();
    return tools.ok ? longTest("test/kube/api-away.long.ts", say, signal) : without(tools.error);
  },
};

/** kube7: installing, again, upgrading, and taking away. */
export const kube7: Line = {
  title: "install, again, an upgrade beside the old version, uninstall, install again",
  required: "every test passed: no request lost in the upgrade, nothing left behind",
  async run(say, signal) {
    const tools = await findNodeTools();
    return tools.ok ? longTest("test/nodes/install.long.ts", say, signal) : without(tools.error);
  },
};

async function longTest(file: string, say: (text: string) => void, signal: AbortSignal): Promise<Proof> {
  const folder = await mkdtemp(join(tmpdir(), "meridian-kube-"));
  try {
    say(`running ${file} (long)`);
    const { passed, failed } = await runTests("long", [file], join(folder, "long.json"), signal);
    const measured = `${passed} passed, ${failed.length} failed`;
    return { measured, holds: failed.length === 0 && passed > 0, details: failed.map((name) => `FAILED ${name}`) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function without(reason: string): Proof {
  return { measured: reason, holds: false, details: [] };
}
