import { setTimeout as sleep } from "node:timers/promises";
import { loadLive } from "#kube";
import { findKubeTools } from "#lab";
import { type KubeMember, NAMESPACE, raisePair } from "../test/kube/scene.ts";
import type { BenchAsk, Benchmark, Outcome, Row } from "./benchmark.ts";
import { percentile, spread } from "./stats.ts";
import { millis } from "./units.ts";
import { isAnswer, untilAnswered } from "./until-answered.ts";

const EXPORTS = 100;

/** exportAnswer: the half of P21 that needs no packets. A ServiceExport is created in one cluster, until its name is
 *  answered in the other with the cluster IP of a derived Service whose slices are written. */
export const exportAnswer: Benchmark = {
  name: "p21",
  title: "P21 an export in one cluster, until it is answered in another (two API servers, no packets)",
  run: async (ask) => {
    const tools = await findKubeTools();
    if (!tools.ok) throw new Error(tools.error);
    const { scene, amber, birch } = await raisePair(tools.value);
    try {
      return await measure({ user: amber.user, dns: birch.dns }, ask);
    } finally {
      await scene.down();
    }
  },
};

type User = KubeMember["user"];

async function measure({ user, dns }: { readonly user: User; readonly dns: number }, ask: BenchAsk): Promise<Outcome> {
  const { RESOURCES } = await loadLive();
  const count = ask.quick ? 5 : EXPORTS;
  for (let at = 0; at < count; at += 1) {
    const metadata = { name: `web-${at}`, namespace: NAMESPACE };
    await user.create(RESOURCES.services, { metadata, spec: { ports: [{ name: "http", port: 80 }] } });
    const labels = { "kubernetes.io/service-name": `web-${at}`, "endpointslice.kubernetes.io/managed-by": "lab" };
    await user.create(RESOURCES.endpointSlices, {
      metadata: { ...metadata, labels },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [{ addresses: [`10.244.1.${at + 1}`], conditions: { ready: true } }],
    });
  }
  await sleep(2000);
  const took: number[] = [];
  for (let at = 0; at < count; at += 1) {
    ask.signal.throwIfAborted();
    await sleep(100);
    const answered = untilAnswered(dns, `web-${at}.${NAMESPACE}.svc.clusterset.local`, isAnswer);
    await user.create(RESOURCES.serviceExports, { metadata: { name: `web-${at}`, namespace: NAMESPACE }, spec: {} });
    took.push(await answered);
  }
  return {
    compared: `A: from before the ServiceExport is written; ${count} times, asked four times a millisecond`,
    rows: [row("median", percentile(took, 0.5), 100), row("p99", percentile(took, 0.99), 500)],
    notes: [],
  };
}

function row(what: string, ms: number, most: number): Row {
  return { what, a: millis(ms), b: "", ratio: spread([]), target: `<= ${most} ms`, holds: ms <= most };
}
