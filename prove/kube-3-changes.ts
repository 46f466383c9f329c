import type { NodeTools } from "#lab";
import { findNodeTools, type Run } from "#lab";
import { inRun } from "../bench/index.ts";
import { proveEndpoints, proveExports } from "./kube-changes.ts";
import { proveRolling } from "./kube-rolling.ts";
import { raiseShop } from "./kube-shop.ts";
import type { Line, Proof } from "./line.ts";

const EACH = 100;

/** kube3: what changes in one real cluster, seen and called from another one. */
export const kube3: Line = {
  title: "a change in one real cluster, until a client in another one is served; rolling updates under load",
  required:
    "p50 <= 100 ms, p99 <= 500 ms from the API write to the page; no request lost beyond what kube-proxy loses at home",
  async run(say, signal) {
    const tools = await findNodeTools();
    if (!tools.ok) return { measured: tools.error, holds: false, details: [] };
    return inRun((run) => proveChanges(run, tools.value, say), signal);
  },
};

async function proveChanges(run: Run, tools: NodeTools, say: (text: string) => void): Promise<Proof> {
  const set = await raiseShop(run, tools, say);
  say(`${EACH} exports`);
  const exported = await proveExports(set, EACH);
  say(`${exported.measured}; ${EACH} endpoints`);
  const changed = await proveEndpoints(set, EACH);
  say(`${changed.measured}; rolling updates`);
  const lingering = await proveRolling(set, { lingerSeconds: 5, times: 2 });
  say(lingering.measured);
  const abrupt = await proveRolling(set, { lingerSeconds: 0, times: 3 });
  const all = [exported, changed, lingering, abrupt];
  return {
    measured: all.map(({ measured }) => measured).join("; "),
    holds: all.every(({ holds }) => holds),
    details: all.flatMap(({ details }) => details),
  };
}
