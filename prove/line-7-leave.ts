import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type Daemon,
  type Downloaded,
  endOf,
  eventually,
  firstNode,
  getOnce,
  installServices,
  type LabService,
  linesOf,
  listAllocations,
  type Place,
  POD_CIDR,
  POD_HTTP_PORT,
  type Pod,
  type Run,
  runPodServer,
  spawnIn,
  startDownload,
  startGateway,
  stopJob,
  verb,
  waitForLine,
} from "#lab";
import { systemClock } from "#life";
import { err, expect, type Ip, ok, parseIp, type Result, swapPrefix } from "#values";
import { addPods, inRun, joinCluster, type Pair, raisePair, stampMs } from "../bench/index.ts";
import { changes, type HostState, hostState } from "./host-state.ts";
import type { Line, Proof } from "./line.ts";

const MARKER = "page-of-those-who-leave";
const AWAY_MS = 5000;
const PINGS = 240;
const PING_EVERY = "0.05";
const DOWNLOAD_SECONDS = 12;
const MOST_STOP_MS = 10_000;

/** Stage is two clusters that talk; `before` is what birch's node was like before its gateway was started. */
interface Stage {
  readonly pair: Pair;
  readonly amber: Daemon;
  readonly birch: Daemon;
  readonly client: Pod;
  readonly before: HostState;
  /** Where amber's pod and its Service are reached from birch. */
  readonly podAddress: Ip;
  readonly serviceAddress: Ip;
}

/** line7: both daemons are ended by SIGTERM for five seconds while a ping at 20 Hz and a download run through them;
 *  then birch leaves, and its node is compared with what it was before. */
export const line7: Line = {
  title: "SIGTERM and leave",
  required: "0 packets lost while both daemons are away for 5 s; after leave the node is as it was before",
  run: (say, signal) => inRun((run) => proveLeave(run, say), signal),
};

async function proveLeave(run: Run, say: (text: string) => void): Promise<Proof> {
  say("raising two clusters");
  const stage = await setUp(run);
  say("ending both daemons by SIGTERM under traffic");
  const away = await judgeAway(stage);
  say("leaving");
  const left = await judgeLeave({ ...stage, ...away.daemons });
  return {
    measured: `${away.measured}; ${left.measured}`,
    holds: away.holds && left.holds,
    details: [...away.details, ...left.details],
  };
}

async function setUp(run: Run): Promise<Stage> {
  const pair = await raisePair(run);
  const [[server], [client]] = [await addPods(pair.amber, "web", 1), await addPods(pair.birch, "client", 1)];
  if (server === undefined || client === undefined) throw new Error("a pod is missing");
  await runPodServer(server, MARKER);
  const clusterIp = expect(parseIp("10.96.0.10"));
  const web: LabService = { namespace: "shop", name: "web", clusterIp, backends: [server], exported: true };
  await installServices(pair.amber, [web]);
  const before = await settledState(firstNode(pair.birch));
  const [amber, birch] = [await joinCluster(pair, pair.amber), await joinCluster(pair, pair.birch)];
  const served = await eventually(() => getOnce(client, "http://web.shop.svc.clusterset.local/"));
  const { address: serviceAddress } = expect(served);
  const allocations = await listAllocations(pair.broker);
  const pods = allocations.find(({ cluster, kind }) => cluster === "amber" && kind === "pods");
  if (pods === undefined) throw new Error("amber has no prefix");
  return {
    pair,
    amber,
    birch,
    client,
    before,
    serviceAddress,
    podAddress: swapPrefix(server.address, POD_CIDR, pods.prefix),
  };
}

/** An IPv6 address is tentative for its first second or two (RFC 4862, section 5.4), and has no route until then. */
async function settledState(node: Place): Promise<HostState> {
  const read = async (): Promise<Result<HostState>> => {
    const state = await hostState(node);
    const tentative = state.get("addresses")?.some((line) => line.includes(" tentative")) === true;
    return tentative ? err("an address is tentative") : ok(state);
  };
  return expect(await eventually(read));
}

/** judgeAway: packets of old connections and new connections go on without any daemon. */
async function judgeAway({ pair, amber, birch, client, podAddress, serviceAddress }: Stage) {
  const url = `http://${podAddress}:${POD_HTTP_PORT}/download?seconds=${DOWNLOAD_SECONDS}`;
  const download = await startDownload(client, "download", url);
  await waitForLine(download, (line) => line.includes("started"));
  const argv = ["ping", "-n", "-q", "-i", PING_EVERY, "-c", String(PINGS), "-W", "2", podAddress];
  const ping = await spawnIn(client, "ping", argv);
  await systemClock.sleep(1000);
  const startMs = stampMs();
  const codes = await Promise.all([stopJob(amber.job), stopJob(birch.job)]);
  const stoppedMs = stampMs() - startMs;
  const page = await getOnce(client, `http://${serviceAddress}/`);
  await systemClock.sleep(AWAY_MS);
  const daemons = { amber: await startGateway(pair.amber), birch: await startGateway(pair.birch) };
  await endOf(ping, 30_000);
  await endOf(download, 30_000);
  const lost = lostOf(await linesOf(ping));
  const last = (await linesOf(download)).find((line) => line.includes("done")) ?? '{"good":false,"gapMs":0}';
  const { good, gapMs } = JSON.parse(last) as Downloaded;
  const ended = codes.every((code) => code === 0) && stoppedMs <= MOST_STOP_MS;
  return {
    daemons,
    measured: `${lost} of ${PINGS} lost over ${AWAY_MS / 1000} s without daemons`,
    holds: lost === 0 && good && page.ok && ended,
    details: [
      `SIGTERM: exit codes ${codes.join(" and ")} after ${stoppedMs.toFixed(0)} ms`,
      `download across it: ${good ? "whole" : "broken"}, longest pause ${gapMs} ms`,
      `new connection to a service address meanwhile: ${page.ok ? `page, saw ${page.value.client}` : page.error}`,
    ],
  };
}

function lostOf(lines: readonly string[]): number {
  const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(lines.join("\n")) ?? [];
  return Number(sent) - Number(received);
}

/** judgeLeave: the daemon ends by itself with 0, and the node is compared line by line. A socket that is being closed
 *  gets three seconds. */
async function judgeLeave({ pair, birch, before }: Stage) {
  const node = firstNode(pair.birch);
  const during = changes(before, await hostState(node));
  const said = await verb(birch, ["leave"]);
  if (!said.ok) return { measured: `leave: ${said.error}`, holds: false, details: [] };
  const code = await endOf(birch.job, 15_000).catch((error: Error) => error.message);
  let left: readonly string[] = [];
  const compare = async (): Promise<Result<void>> => {
    left = changes(before, await hostState(node));
    return left.length === 0 ? ok(undefined) : err("something is left");
  };
  await eventually(compare, { timeoutMs: 3000 });
  const socket = existsSync(join(birch.data, "admin.sock"));
  return {
    measured: `leave undid ${during.length} differences, ${left.length} left`,
    holds: left.length === 0 && during.length > 0 && code === 0 && !socket,
    details: [
      `leave said: ${said.value.trim()}; the daemon ended with ${code}${socket ? "; admin.sock is still there" : ""}`,
      ...left,
    ],
  };
}
