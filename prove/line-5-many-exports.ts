import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Daemon,
  firstNode,
  invite,
  linesOf,
  listAllocations,
  manifestFolder,
  mustExec,
  POD_HTTP_PORT,
  type Pod,
  type Run,
  runPodServer,
  spawnIn,
  startGateway,
  waitForLine,
} from "#lab";
import { addPods, findProcess, inRun, joinCluster, memoryOf, type Pair, raisePair, stampMs } from "../bench/index.ts";
import { statusOf } from "./daemon-status.ts";
import type { Line, Proof } from "./line.ts";
import { clustersetName, SERVICE_PORT, writeManyExports } from "./many-exports.ts";
import type { PollAsk, PollResult } from "./poll-names.ts";
import { startTimeline, type Timeline } from "./timeline.ts";

const SERVICES = 10_000;
const FILES = 100;
const SAMPLE_EVERY = 50;
const MOST_SECONDS = 10;
const MOST_BYTES = 250 * 2 ** 20;
const MOST_P99_SECONDS = 0.01;
const MOST_DELAY_SECONDS = 0.05;
/** Long enough to see how long it takes where it takes too long. */
const PATIENCE_MS = 120_000;
const MARKER = "page-of-many";
const POLLER = fileURLToPath(new URL("./poll-names.ts", import.meta.url));

/** What `meridian status -o json` says about the event loop. */
interface Loop {
  readonly maxDelaySeconds: number;
  readonly p99DelaySeconds: number;
}

/** Stage is the laboratory once the importing side waits: everything but the exporting gateway runs. */
interface Stage {
  readonly pair: Pair;
  readonly importer: Daemon;
  readonly client: Pod;
  readonly services: number;
}

/** line5: the exporting gateway starts with an empty data folder, joins, and publishes a folder of 10,000 exports; the
 *  time runs from before its process is started until a pod of the other cluster has had every name answered and every
 *  sampled one has given its page. */
export const line5: Line = {
  title: "10,000 exports from a cold start",
  required: "all answered and reachable <= 10 s, RSS <= 250 MiB, loop p99 <= 10 ms, max <= 50 ms",
  run: (say, signal) => inRun((run) => proveMany(run, SERVICES, say), signal),
};

/** proveMany measures any number of services, for tests with few. */
export async function proveMany(run: Run, services: number, say: (text: string) => void): Promise<Proof> {
  say(`writing ${services} exports to ${FILES} files`);
  const stage = await setUp(run, services);
  const { pair, importer } = stage;
  const out = join(run.folder, "poll-result.json");
  const poller = await startPoller(stage, out);
  const data = join(run.folder, "data", firstNode(pair.amber).name);
  const timeline = watchProcesses(pair, importer, data);
  const token = await invite(pair.broker, ["--cluster", "amber"]);
  say("starting the exporting gateway");
  const startMs = stampMs();
  const exporter = await startGateway(pair.amber, { token, timeoutMs: PATIENCE_MS });
  const readyMs = stampMs();
  await waitForLine(poller, (line) => line.includes('"sampled"'), PATIENCE_MS + 10_000);
  const stages = await timeline.stop();
  const daemons = await judgeDaemons([exporter, importer]);
  say("connecting to every one of them");
  await waitForLine(poller, (line) => line.includes('"done"'), PATIENCE_MS);
  const result = JSON.parse(await readFile(out, "utf8")) as PollResult;
  const names = await judgeNames(stage, result, startMs);
  const table = await countTable(pair, services);
  const progress = (await linesOf(poller)).filter((line) => line.includes("answered"));
  return {
    measured: `${names.measured}; ${daemons.measured}`,
    holds: names.holds && daemons.holds && table.holds,
    details: [
      `exporting gateway ready after ${seconds(readyMs - startMs)}`,
      ...names.details,
      table.measured,
      ...daemons.details,
      ...progress.map((line) => describeProgress(line, startMs)),
      ...stages,
    ],
  };
}

async function setUp(run: Run, services: number): Promise<Stage> {
  const pair = await raisePair(run);
  const servers = await addPods(pair.amber, "web", 4);
  const [client] = await addPods(pair.birch, "client", 1);
  if (client === undefined) throw new Error("no client");
  await Promise.all(servers.map((pod) => runPodServer(pod, MARKER)));
  const folder = await manifestFolder(firstNode(pair.amber), "amber");
  const pods = servers.map(({ address }) => address);
  await writeManyExports({ folder, services, files: FILES, pods, targetPort: POD_HTTP_PORT });
  const importer = await joinCluster(pair, pair.birch);
  return { pair, importer, client, services };
}

async function startPoller({ pair, client, services }: Stage, out: string) {
  const ask: PollAsk = {
    server: firstNode(pair.birch).address,
    names: Array.from({ length: services }, (_, i) => clustersetName(i)),
    sampleEvery: SAMPLE_EVERY,
    port: SERVICE_PORT,
    timeoutMs: PATIENCE_MS,
    out,
  };
  const file = join(pair.run.folder, "poll-ask.json");
  await writeFile(file, JSON.stringify(ask));
  const poller = await spawnIn(client, "poll-names", [process.execPath, POLLER, file]);
  await waitForLine(poller, (line) => line.includes('"polling"'));
  return poller;
}

/** The exporting gateway is found by its folder, since it is not there yet. The number beside is the broker's revision. */
function watchProcesses({ broker }: Pair, importer: Daemon, data: string): Timeline {
  let exporter: number | undefined;
  const pidOf = async (name: string): Promise<number | undefined> => {
    if (name === "broker") return broker.job.pid;
    if (name === "importer") return importer.job.pid;
    exporter ??= await findProcess(data);
    return exporter;
  };
  const revision = async (): Promise<number> => ((await statusOf(broker)) as { readonly revision: number }).revision;
  return startTimeline(["exporter", "broker", "importer"], pidOf, revision);
}

/** judgeDaemons asks each gateway once for its status, after everything is answered: a status of 10,000 services is
 *  itself work, which a second question would show as a delay. */
async function judgeDaemons(daemons: readonly Daemon[]) {
  const seen = await Promise.all(
    daemons.map(async (daemon) => {
      const { loop } = (await statusOf(daemon)) as { readonly loop: Loop };
      const later = ((await statusOf(daemon)) as { readonly loop: Loop }).loop;
      return { name: daemon.place.name, loop, later, memory: await memoryOf(daemon.job.pid) };
    }),
  );
  const peak = Math.max(...seen.map(({ memory }) => memory.peakBytes));
  const p99 = Math.max(...seen.map(({ loop }) => loop.p99DelaySeconds));
  const max = Math.max(...seen.map(({ loop }) => loop.maxDelaySeconds));
  return {
    measured: `RSS ${mib(peak)} at most, loop p99 ${ms(p99)}, max ${ms(max)}`,
    holds: peak <= MOST_BYTES && p99 <= MOST_P99_SECONDS && max <= MOST_DELAY_SECONDS,
    details: seen.map(
      ({ name, loop, later, memory }) =>
        `${name}: RSS ${mib(memory.rssBytes)}, peak ${mib(memory.peakBytes)}, loop p99 ${ms(loop.p99DelaySeconds)}, max ${ms(loop.maxDelaySeconds)} (${ms(later.maxDelaySeconds)} after a status was asked for)`,
    ),
  };
}

/** judgeNames: each name had one answer, the address that the broker granted it, and each sampled one gave a page. */
async function judgeNames({ pair, services }: Stage, { answers, pages, reached }: PollResult, startMs: number) {
  const granted = new Map<string, string>();
  for (const { kind, namespace, name, prefix } of await listAllocations(pair.broker)) {
    if (kind === "service") granted.set(`${name}.${namespace}.svc.clusterset.local`, prefix.replace("/32", ""));
  }
  const right = answers.filter((answer, i) => answer?.addresses.join() === granted.get(clustersetName(i))).length;
  const times = answers.flatMap((answer) => (answer === null ? [] : [answer.atMs - startMs]));
  const good = pages.filter((page) => page.good).length;
  const end = Math.max(...times, ...pages.map((page) => page.doneMs - startMs));
  const whole = right === services && good === pages.length && reached === services;
  return {
    measured: `${right} of ${services} answered right, the last page after ${seconds(end)}`,
    holds: whole && end <= MOST_SECONDS * 1000,
    details: [
      `first name after ${seconds(Math.min(...times))}, last after ${seconds(Math.max(...times))}`,
      `${good} of ${pages.length} connected to at once gave their page; ${reached} of ${services} afterwards`,
    ],
  };
}

/** countTable counts the services in the kernel's table on the importing node. */
async function countTable({ birch }: Pair, services: number) {
  const listed = await mustExec(firstNode(birch), ["nft", "-j", "list", "map", "ip", "meridian-services", "svc"]);
  const { nftables } = JSON.parse(listed) as { nftables: readonly { map?: { elem?: readonly unknown[] } }[] };
  const count = nftables.flatMap(({ map }) => map?.elem ?? []).length;
  return { measured: `${count} entries in the service table of the importing node`, holds: count === services };
}

function describeProgress(line: string, startMs: number): string {
  const { answered, atMs } = JSON.parse(line) as { readonly answered: number; readonly atMs: number };
  return `${answered} answered after ${seconds(atMs - startMs)}`;
}

const seconds = (span: number): string => `${(span / 1000).toFixed(2)} s`;
const ms = (span: number): string => `${(span * 1000).toFixed(1)} ms`;
const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
