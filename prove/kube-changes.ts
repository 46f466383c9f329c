import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, type KubeSet, linesOf, spawnIn, waitForLine } from "#lab";
import { median, percentile } from "../bench/index.ts";
import { renderExport } from "../demo/kube-objects.ts";
import { apply, CLUSTERSET_ZONE, NAMESPACE, POD_PORT, renderService } from "./kube-shop.ts";
import type { Proof } from "./line.ts";
import type { Seen, WatchAsk } from "./watch-name.ts";
import type { WriteAsk, Written } from "./write-in-turn.ts";

const MOST_MEDIAN_MS = 100;
const MOST_P99_MS = 500;
const EVERY_MS = 400;
/** Names that come are asked for after the one before has come: a late one makes those behind it wait. */
const LATE_MS = 30_000;
/** The address of every cluster's own DNS. */
const CLUSTER_DNS = "10.96.0.10";
const [WATCHER, WRITER] = ["./watch-name.ts", "./write-in-turn.ts"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
) as [string, string];

type Writes = WriteAsk["objects"];

/** proveExports: a ServiceExport is written in amber, until its name is answered by birch's own DNS and a connection that
 *  is made at once, through birch's kube-proxy, has brought a page. So many times. */
export async function proveExports(set: KubeSet, count: number): Promise<Proof> {
  const names = Array.from({ length: count }, (_, at) => `export-${at}`);
  await apply(set.amber, names.map(renderService));
  const objects: Writes = names.map((name) => ({ kind: "serviceExports", object: { ...meta(name), spec: {} } }));
  return judge("ServiceExport", await walk(set, objects, 80), count);
}

/** proveEndpoints: a slice of a headless Service that is exported without endpoints gets its first, until that is
 *  answered and reached, as above. */
export async function proveEndpoints(set: KubeSet, count: number): Promise<Proof> {
  const names = Array.from({ length: count }, (_, at) => `endpoint-${at}`);
  const pods = await set.amber.kubectl([
    ...["get", "-n", NAMESPACE, "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}"],
  ]);
  const [pod = ""] = pods.split(" ");
  await apply(set.amber, [...names.map(renderHeadless), ...names.map(renderExport)]);
  const objects: Writes = names.map((name) => ({ kind: "endpointSlices", object: sliceOf(name, pod) }));
  return judge("first endpoint", await walk(set, objects, POD_PORT), count);
}

interface Timed {
  readonly ms: number;
  readonly good: boolean;
}

/** walk writes the objects one after the other, while a process of birch's node asks for each name until it is there. */
async function walk({ amber, birch, broker }: KubeSet, objects: Writes, port: number): Promise<readonly Timed[]> {
  const [node] = birch.nodes;
  if (node === undefined) throw new Error("birch has no node");
  const { run } = broker.place;
  const names = objects.map(({ object }) => ({ name: `${object.metadata.name}.${CLUSTERSET_ZONE}`, port }));
  const watch: WatchAsk = { server: CLUSTER_DNS, names, until: "appear" };
  const write: WriteAsk = { kubeconfig: amber.kubeconfig, everyMs: EVERY_MS, objects };
  const [watchFile, writeFileName] = [join(run.folder, "watch.json"), join(run.folder, "write.json")];
  await writeFile(watchFile, JSON.stringify(watch));
  await writeFile(writeFileName, JSON.stringify(write));
  const watcher = await spawnIn(node, `watch-${port}`, [process.execPath, WATCHER, watchFile]);
  await waitForLine(watcher, (line) => line.includes('"watching"'));
  const writer = await spawnIn(broker.place, `write-${port}`, [process.execPath, WRITER, writeFileName]);
  const withinMs = objects.length * EVERY_MS * 2 + LATE_MS;
  await waitForLine(writer, (line) => line.includes('"done"'), withinMs);
  const last = names.at(-1)?.name ?? "";
  await waitForLine(watcher, (line) => line.includes(`"${last}"`), LATE_MS);
  const written = await lines<Written>(writer, "beforeMs");
  const seen = await lines<Seen>(watcher, "atMs");
  return seen.map(({ atMs, page }, at) => ({
    ms: atMs + (page?.ms ?? Number.NaN) - (written[at]?.beforeMs ?? Number.NaN),
    good: page?.good === true,
  }));
}

async function lines<T>(job: Job, field: string): Promise<readonly T[]> {
  return (await linesOf(job)).filter((line) => line.includes(`"${field}"`)).map((line) => JSON.parse(line) as T);
}

function judge(what: string, timed: readonly Timed[], count: number): Proof {
  const took = timed.map(({ ms }) => ms);
  const good = timed.filter((each) => each.good).length;
  const [middle, late, longest] = [median(took), percentile(took, 0.99), Math.max(...took)].map(Math.round) as [
    number,
    number,
    number,
  ];
  return {
    measured: `${what}: p50 ${middle} ms, p99 ${late} ms, ${good} of ${count} reached at once`,
    holds: good === count && middle <= MOST_MEDIAN_MS && late <= MOST_P99_MS,
    details: [`${what}: longest ${longest} ms, least ${Math.round(Math.min(...took))} ms`],
  };
}

const meta = (name: string) => ({ metadata: { name, namespace: NAMESPACE } });

function renderHeadless(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec: {clusterIP: None, ports: [{name: http, port: ${POD_PORT}}]}
`;
}

function sliceOf(name: string, address: string): Writes[number]["object"] {
  const labels = { "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "a-user" };
  return {
    metadata: { name, namespace: NAMESPACE, labels },
    addressType: "IPv4",
    ports: [{ name: "http", port: POD_PORT, protocol: "TCP" }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}
