import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Live, loadLive } from "#kube";
import { findKubeTools } from "#lab";
import { type KubeMember, NAMESPACE, raisePair } from "../test/kube/scene.ts";
import type { BenchAsk, Benchmark, Outcome, Row } from "./benchmark.ts";
import { percentile, spread } from "./stats.ts";
import { millis } from "./units.ts";

const SERVICES = 5000;
const ENDPOINTS = 10;
const AT_A_TIME = 24;
const CHANGES = 20;
const LATE_MS = 600_000;
/** Service, slice, import and its status. */
const LEAST_WRITES = 4;

/** exportAll: 5,000 Services with 50,000 endpoints exported at once in one cluster, until the other has them all; then
 *  single endpoints change. Writes are those of the API server's own audit. */
export const exportAll: Benchmark = {
  name: "export-all",
  title: "Exports of a whole cluster at once, by two API servers",
  run: async (ask) => {
    const tools = await findKubeTools();
    if (!tools.ok) throw new Error(tools.error);
    const { scene, amber, birch } = await raisePair(tools.value);
    try {
      return await measure(amber, birch, ask);
    } finally {
      await scene.down();
    }
  },
};

async function measure(amber: KubeMember, birch: KubeMember, ask: BenchAsk): Promise<Outcome> {
  const live = await loadLive();
  const services = ask.quick ? 50 : SERVICES;
  ask.say(`writing ${services} Services and their slices`);
  await inParallel(services, (at) => writeService(amber, live, at));
  const before = { amber: memory(amber), birch: memory(birch) };
  for (const { plane } of [amber, birch]) await plane.writes();
  ask.say(`exporting them`);
  const start = performance.now();
  const { serviceExports } = live.RESOURCES;
  await inParallel(services, (at) =>
    amber.user.create(serviceExports, { metadata: { name: nameOf(at), namespace: NAMESPACE }, spec: {} }),
  );
  const exportedMs = performance.now() - start;
  const importedMs = await untilWritten(birch, services, start, ask);
  const cpu = { amber: cpuSeconds(amber), birch: cpuSeconds(birch) };
  await rest(birch);
  const [there, here] = [await birch.plane.writes(), await amber.plane.writes()];
  const after = { amber: memory(amber), birch: memory(birch) };
  ask.say("changing single endpoints");
  const changes = await changeOne(amber, birch, live, ask);
  return {
    compared: `${services} Services with ${services * ENDPOINTS} endpoints; what is least is four writes a service`,
    rows: [
      figure("exports written to the API server", `${(exportedMs / 1000).toFixed(1)} s`),
      figure("until all are imported there", `${(importedMs / 1000).toFixed(1)} s`),
      figure("writes of the importing gateway", `${there.length}`, `least ${services * LEAST_WRITES}`),
      figure("writes of the exporting gateway (its own imports, conditions)", `${here.length}`),
      figure("CPU of exporting and importing gateway until then", `${cpu.amber} s, ${cpu.birch} s`),
      figure("RSS of the exporting gateway", `${before.amber} -> ${after.amber} MiB`),
      figure("RSS of the importing gateway", `${before.birch} -> ${after.birch} MiB`),
      figure(
        "one endpoint changed, until the slice there",
        `p50 ${millis(percentile(changes.ms, 0.5))}, p99 ${millis(percentile(changes.ms, 0.99))}`,
      ),
      {
        ...figure("writes for it there", `${changes.writes} for ${changes.ms.length} changes`),
        holds: changes.writes === changes.ms.length,
      },
    ],
    notes: [
      `refused: ${there.filter(({ code }) => code >= 400).length} there, ${here.filter(({ code }) => code >= 400).length} here`,
    ],
  };
}

function figure(what: string, a: string, b = ""): Row {
  return { what, a, b, ratio: spread([]), target: "", holds: null };
}

async function writeService({ user }: KubeMember, { RESOURCES }: Live, at: number): Promise<void> {
  const metadata = { name: nameOf(at), namespace: NAMESPACE };
  await user.create(RESOURCES.services, { metadata, spec: { ports: [{ name: "http", port: 80 }] } });
  await user.create(RESOURCES.endpointSlices, sliceOf(at, 0));
}

function sliceOf(at: number, change: number) {
  const labels = { "kubernetes.io/service-name": nameOf(at), "endpointslice.kubernetes.io/managed-by": "lab" };
  const address = (one: number): string => {
    const pod = at * ENDPOINTS + one;
    return `10.244.${(pod >> 8) & 255}.${pod & 255}`;
  };
  const addresses = Array.from({ length: ENDPOINTS }, (_, one) => address(one));
  if (change > 0) addresses[0] = `10.244.255.${change}`;
  return {
    metadata: { name: `${nameOf(at)}-1`, namespace: NAMESPACE, labels },
    addressType: "IPv4",
    ports: [{ name: "http", port: 8080, protocol: "TCP" }],
    endpoints: addresses.map((one) => ({ addresses: [one], conditions: { ready: true } })),
  };
}

function nameOf(at: number): string {
  return `web-${at}`;
}

async function inParallel(count: number, step: (at: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await step(next++);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

/** The audit tells when the last import got its status. */
async function untilWritten(
  { plane, gateway }: KubeMember,
  count: number,
  start: number,
  ask: BenchAsk,
): Promise<number> {
  const seen = new Set<string>();
  for (let from = 0; performance.now() - start < LATE_MS; ) {
    ask.signal.throwIfAborted();
    const all = await plane.peek();
    for (const { resource, name, code } of all.slice(from))
      if (resource === "serviceimports/status" && code < 300) seen.add(name);
    from = all.length;
    if (seen.size >= count) return performance.now() - start;
    if (gateway.child.exitCode !== null) throw new Error(gateway.lines.slice(-5).join("\n"));
    await sleep(200);
  }
  throw new Error(`only ${seen.size} of ${count} imports came`);
}

async function rest({ plane }: KubeMember): Promise<void> {
  for (let before = -1, now = 0; before !== now; ) {
    before = now;
    await sleep(3000);
    now = (await plane.peek()).length;
  }
}

async function changeOne(amber: KubeMember, birch: KubeMember, live: Live, ask: BenchAsk) {
  const ms: number[] = [];
  for (let change = 1; change <= (ask.quick ? 3 : CHANGES); change += 1) {
    const before = (await birch.plane.peek()).length;
    const start = performance.now();
    await amber.user.apply(live.RESOURCES.endpointSlices, sliceOf(change, change));
    while ((await birch.plane.peek()).length === before) await sleep(2);
    ms.push(performance.now() - start);
  }
  await rest(birch);
  return { ms, writes: (await birch.plane.writes()).length };
}

/** Since its start: fields 14 and 15 of /proc/PID/stat, in clock ticks of 10 ms (proc_pid_stat(5)). */
function cpuSeconds({ gateway }: KubeMember): number {
  const fields = readFileSync(`/proc/${gateway.child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

function memory({ gateway }: KubeMember): number {
  const status = readFileSync(`/proc/${gateway.child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}
