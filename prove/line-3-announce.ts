import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Downloaded,
  endOf,
  fileOf,
  firstNode,
  type Job,
  type LabService,
  linesOf,
  listAllocations,
  manifestFolder,
  manifestsOf,
  POD_CIDR,
  POD_HTTP_PORT,
  type Pod,
  type Run,
  runPodServer,
  spawnIn,
  startDownload,
  waitForLine,
  writeManifests,
} from "#lab";
import { systemClock } from "#life";
import { expect, parseIp, swapPrefix } from "#values";
import { addPods, inRun, joinCluster, type Pair, percentile, raisePair, stampMs } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";
import type { Seen, WatchAsk } from "./watch-name.ts";

const EACH = 100;
const MOST_MEDIAN_MS = 30;
const MOST_P99_MS = 200;
const NAMESPACE = "shop";
const MARKER = "page-of-announced";
/** Names that a download is under way to when they are withdrawn: headless and ClusterSetIP in turn. */
const DOWNLOADS = 4;
/** A download outlasts all withdrawals, and the 10 s for which a withdrawn service stays in the table. */
const DOWNLOAD_SECONDS = 15;
const DOWNLOAD_SECONDS_EACH = 0.12;
const WATCHER = fileURLToPath(new URL("./watch-name.ts", import.meta.url));

interface Stage {
  readonly pair: Pair;
  readonly server: Pod;
  readonly client: Pod;
  readonly services: readonly LabService[];
  /** Where the gateway reads, and where the files wait until they are renamed into it. */
  readonly folder: string;
  readonly waiting: string;
}

/** Timed is one name: how long from the rename of its file until a pod of the other cluster saw it. */
interface Timed {
  readonly service: LabService;
  readonly ms: number;
  readonly seen: Seen;
}

/** line3: the files of 200 Services are renamed into the folder one after the other; a pod of the other cluster asks
 *  for each every 2 ms and connects in the moment of the first answer. Then all are withdrawn in the same way. */
export const line3: Line = {
  title: "from the rename of a manifest to the first right answer elsewhere",
  required: "median <= 30 ms, p99 <= 200 ms, 200 of 200 connections; the same to NXDOMAIN, none cut",
  run: (say, signal) => inRun((run) => proveAnnouncing(run, EACH, say), signal),
};

/** proveAnnouncing measures so many headless and so many ClusterSetIP services. */
export async function proveAnnouncing(run: Run, each: number, say: (text: string) => void): Promise<Proof> {
  say("raising two clusters");
  const stage = await setUp(run, each);
  say(`announcing ${stage.services.length} services`);
  const announced = await walk(stage, "appear");
  const right = await countRight(stage, announced);
  const good = announced.filter(({ seen }) => seen.page?.good === true && seen.page.text.includes(MARKER)).length;
  const downloads = await startDownloads(stage);
  say("withdrawing them");
  const withdrawn = await walk(stage, "vanish");
  say("waiting for the downloads that were under way");
  const whole = await countWhole(downloads);
  const all = stage.services.length;
  const fast = [announced, withdrawn].every((times) => isFast(times));
  return {
    measured: `${times(announced)}; ${right} answers right, ${good} of ${all} pages; NXDOMAIN ${times(withdrawn)}; ${whole} of ${downloads.length} downloads whole`,
    holds: fast && right === all && good === all && whole === downloads.length,
    details: [
      `ClusterSetIP: ${times(ofKind(announced, false))}; headless: ${times(ofKind(announced, true))}`,
      `withdrawn: ClusterSetIP ${times(ofKind(withdrawn, false))}; headless ${times(ofKind(withdrawn, true))}`,
      `connection and page: median ${percentile(
        announced.map(({ seen }) => seen.page?.ms ?? 0),
        0.5,
      ).toFixed(1)} ms`,
      ...announced.flatMap(({ seen }) => (seen.page?.good === true ? [] : [`${seen.name}: ${seen.page?.text}`])),
    ],
  };
}

async function setUp(run: Run, each: number): Promise<Stage> {
  const pair = await raisePair(run);
  const [[server], [client]] = [await addPods(pair.amber, "web", 1), await addPods(pair.birch, "client", 1)];
  if (server === undefined || client === undefined) throw new Error("a pod is missing");
  await runPodServer(server, MARKER);
  const folder = await manifestFolder(firstNode(pair.amber), "amber");
  const waiting = join(run.folder, "waiting");
  await mkdir(waiting);
  const services = Array.from({ length: 2 * each }, (_, i) => serviceAt(i, server));
  for (const service of services) await writeManifests(waiting, fileOf(service), manifestsOf(service));
  await writeFile(join(folder, "namespace.yaml"), `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${NAMESPACE}\n`);
  await Promise.all([joinCluster(pair, pair.amber), joinCluster(pair, pair.birch)]);
  await systemClock.sleep(3000); // both tunnels are up by then; what is measured is announcing, not joining
  return { pair, server, client, services, folder, waiting };
}

/** Headless and ClusterSetIP in turn, so that both kinds see the same machine. */
function serviceAt(index: number, server: Pod): LabService {
  const headless = index % 2 === 1;
  const name = `${headless ? "head" : "web"}-${index}`;
  const clusterIp = headless ? "None" : expect(parseIp(`10.96.${1 + (index >> 8)}.${index & 255}`));
  return { namespace: NAMESPACE, name, clusterIp, backends: [server], exported: true };
}

/** walk moves the files of all services into the folder, or out of it, one after the other, each when the one before
 *  was seen. The pauses differ, so that no timer of anybody stays in step. */
async function walk(stage: Stage, until: WatchAsk["until"]): Promise<readonly Timed[]> {
  const { folder, waiting, services } = stage;
  const watcher = await startWatcher(stage, until);
  const [from, to] = until === "appear" ? [waiting, folder] : [folder, waiting];
  const timed: Timed[] = [];
  for (const [i, service] of services.entries()) {
    await systemClock.sleep(10 + ((i * 7) % 41));
    const startMs = stampMs();
    await rename(join(from, fileOf(service)), join(to, fileOf(service)));
    const line = await waitForLine(watcher, (text) => text.includes(`"name":"${nameOf(service)}"`));
    const seen = JSON.parse(line) as Seen;
    timed.push({ service, ms: seen.atMs - startMs, seen });
  }
  return timed;
}

async function startWatcher({ pair, client, services }: Stage, until: WatchAsk["until"]): Promise<Job> {
  const names = services.map((service) => ({ name: nameOf(service), port: portOf(service) }));
  const ask: WatchAsk = { server: firstNode(pair.birch).address, names, until };
  const file = join(pair.run.folder, `watch-${until}.json`);
  await writeFile(file, JSON.stringify(ask));
  const watcher = await spawnIn(client, `watch-${until}`, [process.execPath, WATCHER, file]);
  await waitForLine(watcher, (line) => line.includes('"watching"'));
  return watcher;
}

/** countRight counts the names whose first answer was the right one: the granted service address, or the pod's global
 *  address. */
async function countRight({ pair, server }: Stage, timed: readonly Timed[]): Promise<number> {
  const allocations = await listAllocations(pair.broker);
  const pods = allocations.find(({ cluster, kind }) => cluster === "amber" && kind === "pods");
  if (pods === undefined) throw new Error("amber has no prefix");
  const global = swapPrefix(server.address, POD_CIDR, pods.prefix);
  const granted = new Map(
    allocations.flatMap(({ kind, name, prefix }): readonly [string, string][] =>
      kind === "service" && name !== null ? [[name, prefix.replace("/32", "")]] : [],
    ),
  );
  const wanted = ({ clusterIp, name }: LabService) => (clusterIp === "None" ? global : granted.get(name));
  return timed.filter(({ service, seen }) => seen.addresses.join() === wanted(service)).length;
}

function startDownloads({ client, services }: Stage): Promise<readonly Job[]> {
  const few = services.slice(0, DOWNLOADS);
  const seconds = Math.ceil(DOWNLOAD_SECONDS + services.length * DOWNLOAD_SECONDS_EACH);
  return Promise.all(
    few.map(async (service) => {
      const url = `http://${nameOf(service)}:${portOf(service)}/download?seconds=${seconds}`;
      const job = await startDownload(client, `download-${service.name}`, url);
      await waitForLine(job, (line) => line.includes("started"));
      return job;
    }),
  );
}

async function countWhole(jobs: readonly Job[]): Promise<number> {
  const ends = await Promise.all(
    jobs.map(async (job) => {
      await endOf(job, 60_000);
      const last = (await linesOf(job)).find((line) => line.includes("done"));
      return last !== undefined && (JSON.parse(last) as Downloaded).good;
    }),
  );
  return ends.filter((good) => good).length;
}

function ofKind(timed: readonly Timed[], headless: boolean): readonly Timed[] {
  return timed.filter(({ service }) => (service.clusterIp === "None") === headless);
}

function isFast(timed: readonly Timed[]): boolean {
  const spans = timed.map(({ ms }) => ms);
  return percentile(spans, 0.5) <= MOST_MEDIAN_MS && percentile(spans, 0.99) <= MOST_P99_MS;
}

function times(timed: readonly Timed[]): string {
  const spans = timed.map(({ ms }) => ms);
  const [p50, p99, max] = [percentile(spans, 0.5), percentile(spans, 0.99), Math.max(...spans)];
  return `median ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${max.toFixed(1)} ms`;
}

const nameOf = ({ namespace, name }: LabService): string => `${name}.${namespace}.svc.clusterset.local`;
const portOf = ({ clusterIp }: LabService): number => (clusterIp === "None" ? POD_HTTP_PORT : 80);
