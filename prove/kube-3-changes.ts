import { findNodeTools, installIn, type NodeTools, type Run } from "#lab";
import { expect } from "#values";
import { inRun } from "../bench/index.ts";
import { proveEndpoints, proveExports, proveOwn } from "./kube-changes.ts";
import { proveRolling } from "./kube-rolling.ts";
import { raiseShop } from "./kube-shop.ts";
import type { Line, Proof } from "./line.ts";

const EACH = 50;

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
  const all: Proof[] = [];
  const next = async (what: string, proof: () => Promise<Proof>): Promise<void> => {
    say(what);
    const done = await proof();
    say(done.measured);
    all.push(done);
  };
  await next(`${EACH} Services of one cluster`, () => proveOwn(set, EACH));
  await next(`${EACH} exports, derived Services`, () => proveExports(set, "derived", EACH));
  await next(`${EACH} endpoints`, () => proveEndpoints(set, EACH));
  await next("rolling updates of pods that linger", () => proveRolling(set, { lingerSeconds: 5, times: 3 }));
  await next("and of pods that do not", () => proveRolling(set, { lingerSeconds: 0, times: 3 }));
  expect(await installIn(set, set.birch, ["--clusterset-ip", "global"]));
  await next(`${EACH} exports, service addresses`, () => proveExports(set, "global", EACH));
  return {
    measured: all.map(({ measured }) => measured).join("; "),
    holds: all.every(({ holds }) => holds),
    details: all.flatMap(({ details }) => details),
  };
}
