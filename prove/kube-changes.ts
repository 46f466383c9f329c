import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Job, type KubeCluster, type KubeSet, linesOf, spawnIn, type UserObject, waitForLine } from "#lab";
import { median, percentile } from "../bench/index.ts";
import { renderExport } from "../demo/kube-objects.ts";
import { apply, CLUSTERSET_ZONE, LOCAL_ZONE, NAMESPACE, POD_PORT, renderService } from "./kube-shop.ts";
import type { Proof } from "./line.ts";
import type { Seen, WatchAsk } from "./watch-name.ts";
import type { WriteAsk, Written } from "./write-in-turn.ts";

const MOST_MEDIAN_MS = 100;
const MOST_P99_MS = 500;
/** kube-proxy waits for a second after each time it has changed the kernel: a change that comes alone is not to wait. */
const EVERY_MS = 2000;
/** Names that come are asked for after the one before has come: a late one makes those behind it wait. */
const LATE_MS = 30_000;
/** The address of every cluster's own DNS. */
const CLUSTER_DNS = "10.96.0.10";
const [WATCHER, WRITER] = ["./watch-name.ts", "./write-in-turn.ts"].map((file) =>
  fileURLToPath(new URL(file, import.meta.url)),
) as [string, string];

type Groups = WriteAsk["groups"];

/** proveExports: a ServiceExport is written in amber, until its name is answered by birch's own DNS and a connection that
 *  is made at once has brought a page. So many times; `what` is how birch reaches what it imports. */
export async function proveExports(set: KubeSet, what: string, count: number): Promise<Proof> {
  const names = Array.from({ length: count }, (_, at) => `${what}-${at}`);
  await apply(set.amber, names.map(renderService));
  const groups: Groups = names.map((name) => [{ kind: "serviceExports", object: { ...meta(name), spec: {} } }]);
  return judge(`ServiceExport, ${what}`, await walk(set, set.amber, groups, CLUSTERSET_ZONE, 80), count);
}

/** proveEndpoints: a slice of a headless Service that is exported without endpoints gets its first, until that is
 *  answered and reached, as above. */
export async function proveEndpoints(set: KubeSet, count: number): Promise<Proof> {
  const names = Array.from({ length: count }, (_, at) => `endpoint-${at}`);
  const pod = await podOf(set.amber);
  await apply(set.amber, [...names.map(renderHeadless), ...names.map(renderExport)]);
  const groups: Groups = names.map((name) => [{ kind: "endpointSlices", object: sliceOf(name, pod) }]);
  return judge("first endpoint", await walk(set, set.amber, groups, CLUSTERSET_ZONE, POD_PORT), count);
}

/** proveOwn is what one cluster does by itself: an ordinary Service and its slice are written in birch, until birch's DNS
 *  and kube-proxy serve them. Nothing of ours is in the way: it is what the others are held against. */
export async function proveOwn(set: KubeSet, count: number): Promise<Proof> {
  const names = Array.from({ length: count }, (_, at) => `own-${at}`);
  const pod = await podOf(set.birch);
  const spec = { ports: [{ name: "http", port: 80, targetPort: POD_PORT }] };
  const groups: Groups = names.map((name) => [
    { kind: "services", object: { ...meta(name), spec } },
    { kind: "endpointSlices", object: sliceOf(name, pod) },
  ]);
  const timed = await walk(set, set.birch, groups, LOCAL_ZONE, 80);
  return { ...judge("an ordinary Service inside birch", timed, count), holds: true };
}

async function podOf(cluster: KubeCluster): Promise<string> {
  const which = ["get", "-n", NAMESPACE, "pods", "-l", "app=web", "-o", "jsonpath={.items[0].status.podIP}"];
  return cluster.kubectl(which);
}

interface Timed {
  /** Until the answer, and until the page. */
  readonly answeredMs: number;
  readonly ms: number;
  readonly good: boolean;
}

/** walk writes the groups one after the other, while a process of birch's node asks for each name until it is there. */
async function walk(
  { birch, broker }: KubeSet,
  to: KubeCluster,
  groups: Groups,
  zone: string,
  port: number,
): Promise<readonly Timed[]> {
  const [node] = birch.nodes;
  if (node === undefined) throw new Error("birch has no node");
  const { run } = broker.place;
  const names = groups.map((group) => ({ name: `${group[0]?.object.metadata.name}.${zone}`, port }));
  const watch: WatchAsk = { server: CLUSTER_DNS, names, until: "appear" };
  const write: WriteAsk = { kubeconfig: to.kubeconfig, everyMs: EVERY_MS, groups };
  const part = names[0]?.name.split("-")[0] ?? "";
  const [watchFile, writtenFile] = [join(run.folder, `watch-${part}.json`), join(run.folder, `write-${part}.json`)];
  await writeFile(watchFile, JSON.stringify(watch));
  await writeFile(writtenFile, JSON.stringify(write));
  const watcher = await spawnIn(node, `watch-${part}`, [process.execPath, WATCHER, watchFile]);
  await waitForLine(watcher, (line) => line.includes('"watching"'));
  const writer = await spawnIn(broker.place, `write-${part}`, [process.execPath, WRITER, writtenFile]);
  await waitForLine(writer, (line) => line.includes('"done"'), groups.length * EVERY_MS * 2 + LATE_MS);
  const last = names.at(-1)?.name ?? "";
  await waitForLine(watcher, (line) => line.includes(`"${last}"`), LATE_MS);
  const written = await lines<Written>(writer, "beforeMs");
  const seen = await lines<Seen>(watcher, "atMs");
  return seen.map(({ atMs, page }, at) => {
    const answeredMs = atMs - (written[at]?.beforeMs ?? Number.NaN);
    return { answeredMs, ms: answeredMs + (page?.ms ?? Number.NaN), good: page?.good === true };
  });
}

async function lines<T>(job: Job, field: string): Promise<readonly T[]> {
  return (await linesOf(job)).filter((line) => line.includes(`"${field}"`)).map((line) => JSON.parse(line) as T);
}

function judge(what: string, timed: readonly Timed[], count: number): Proof {
  const took = timed.map(({ ms }) => ms);
  const good = timed.filter((each) => each.good).length;
  const [middle, late, longest] = [median(took), percentile(took, 0.99), Math.max(...took)];
  const answered = median(timed.map(({ answeredMs }) => answeredMs));
  return {
    measured: `${what}: p50 ${ms(middle)}, p99 ${ms(late)}, ${good} of ${count} reached at once`,
    holds: good === count && middle <= MOST_MEDIAN_MS && late <= MOST_P99_MS,
    details: [`${what}: answered after ${ms(answered)} at the median; page ${ms(Math.min(...took))} to ${ms(longest)}`],
  };
}

const ms = (span: number): string => `${span.toFixed(0)} ms`;
const meta = (name: string) => ({ metadata: { name, namespace: NAMESPACE } });

function renderHeadless(name: string): string {
  return `apiVersion: v1
kind: Service
metadata: {name: ${name}, namespace: ${NAMESPACE}}
spec: {clusterIP: None, ports: [{name: http, port: ${POD_PORT}}]}
`;
}

function sliceOf(name: string, address: string): UserObject {
  const labels = { "kubernetes.io/service-name": name, "endpointslice.kubernetes.io/managed-by": "a-user" };
  return {
    metadata: { name, namespace: NAMESPACE, labels },
    addressType: "IPv4",
    ports: [{ name: "http", port: POD_PORT, protocol: "TCP" }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  };
}
