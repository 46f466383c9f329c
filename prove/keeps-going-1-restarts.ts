import { fileURLToPath } from "node:url";
import {
  type ClusterNode,
  type Daemon,
  type Downloaded,
  endOf,
  eventually,
  firstNode,
  getOnce,
  installServices,
  type Job,
  linesOf,
  type Pod,
  processesIn,
  type Run,
  runPodServer,
  spawnIn,
  startBroker,
  startDownload,
  startGateway,
  stopJob,
  waitForLine,
} from "#lab";
import { systemClock } from "#life";
import { expect, type Ip, parseIp } from "#values";
import { addPods, inRun, joinCluster, median, type Pair, raisePair } from "../bench/index.ts";
import type { DnsStreamed } from "./dns-stream.ts";
import type { Line, Proof } from "./line.ts";

const RESTARTS = 100;
/** Every so many restarts of the gateway the broker is killed, too, and stays away until the next such turn's half. */
const BROKER_EVERY = 10;
/** Between a start and the next kill: an outage that never ends could not be told from the next one. */
const SERVE_MS = 1000;
const MOST_DNS_OUTAGE_MS = 2000;
const NAME = "web.shop.svc.clusterset.local";
const DNS_STREAM = fileURLToPath(new URL("./dns-stream.ts", import.meta.url));

/** keeps1: one daemon after the other is killed under traffic, a hundred times. */
export const keeps1: Line = {
  title: "Restarts",
  required: `${RESTARTS} times kill -9 of a gateway daemon, the broker now and then: 0 packets lost, no reset, its own DNS away ≤ 2 s`,
  run: (say, signal) => inRun((run) => proveRestarts(run, RESTARTS, say), signal),
};

interface Stage {
  readonly pair: Pair;
  readonly amber: Daemon;
  readonly client: Pod;
  readonly podAddress: Ip;
}

/** proveRestarts kills birch's daemon so many times, and starts it again each time. */
export async function proveRestarts(run: Run, times: number, say: (text: string) => void): Promise<Proof> {
  const { stage, birch } = await setUp(run);
  const traffic = await startTraffic(stage);
  const tunnels = await processesIn(birch.place.pid, "wireguard-go");
  const readyMs: number[] = [];
  let [daemon, broker] = [birch, stage.pair.broker];
  for (let i = 1; i <= times; i += 1) {
    if (i % BROKER_EVERY === 0) await stopJob(broker.job, { signal: "SIGKILL" });
    await stopJob(daemon.job, { signal: "SIGKILL" });
    const start = performance.now();
    daemon = await startGateway(stage.pair.birch);
    readyMs.push(performance.now() - start);
    await systemClock.sleep(SERVE_MS);
    if (i % BROKER_EVERY === BROKER_EVERY / 2 && i > BROKER_EVERY) broker = await startBroker(stage.pair.underlay);
    if (i % BROKER_EVERY === 0) say(`${i} of ${times}`);
  }
  const same = (await processesIn(daemon.place.pid, "wireguard-go")).join() === tunnels.join();
  return judge(await traffic.end(), { times, readyMs, same });
}

async function setUp(run: Run): Promise<{ readonly stage: Stage; readonly birch: Daemon }> {
  const pair = await raisePair(run);
  const [[server], [client]] = [await addPods(pair.amber, "web", 1), await addPods(pair.birch, "client", 1)];
  if (server === undefined || client === undefined) throw new Error("a pod is missing");
  await runPodServer(server, "page-of-those-who-stay");
  const clusterIp = expect(parseIp("10.96.0.10"));
  await installServices(pair.amber, [
    { namespace: "shop", name: "web", clusterIp, backends: [server], exported: true },
  ]);
  const [amber, birch] = [await joinCluster(pair, pair.amber), await joinCluster(pair, pair.birch)];
  expect(await eventually(() => getOnce(client, `http://${NAME}/`)));
  return { stage: { pair, amber, client, podAddress: expect(parseIp("242.1.1.10")) }, birch };
}

interface Ended {
  readonly sent: number;
  readonly lost: number;
  readonly transfer: Downloaded;
  readonly own: DnsStreamed;
  readonly other: DnsStreamed;
}

/** startTraffic begins a ping at 20 Hz, a long transfer, and 100 questions a second to each gateway's DNS. */
async function startTraffic({ pair, client, podAddress }: Stage): Promise<{ end(): Promise<Ended> }> {
  const ping = await spawnIn(client, "ping", ["ping", "-n", "-q", "-i", "0.05", podAddress]);
  const transfer = await startDownload(client, "transfer", `http://${NAME}/download?seconds=3600`);
  await waitForLine(transfer, (line) => line.includes("started"));
  // Each on its own node: a pod's address says nothing outside its cluster.
  const dns = async (node: ClusterNode): Promise<Job> => {
    const argv = [process.execPath, DNS_STREAM, "--server", node.address, "--name", NAME];
    const job = await spawnIn(node, `dns-${node.name}`, argv);
    await waitForLine(job, (line) => line === "asking");
    return job;
  };
  const [own, other] = [await dns(firstNode(pair.birch)), await dns(firstNode(pair.amber))];
  return {
    async end() {
      await systemClock.sleep(1000);
      const alive = (await linesOf(transfer)).every((line) => !/done|Error|hang up|reset/.test(line));
      await stopJob(transfer, { signal: "SIGINT" });
      await stopJob(ping, { signal: "SIGINT" });
      const [, sent = "0", received = "0"] =
        /(\d+) packets transmitted, (\d+) received/.exec((await linesOf(ping)).join("\n")) ?? [];
      return {
        sent: Number(sent),
        lost: Number(sent) - Number(received),
        transfer: { bytes: 0, gapMs: 0, good: alive },
        own: await endDns(own),
        other: await endDns(other),
      };
    },
  };
}

async function endDns(job: Job): Promise<DnsStreamed> {
  await stopJob(job);
  await endOf(job);
  return JSON.parse((await linesOf(job)).find((line) => line.startsWith("{")) ?? "") as DnsStreamed;
}

function judge(
  { sent, lost, transfer, own, other }: Ended,
  { times, readyMs, same }: { readonly times: number; readonly readyMs: readonly number[]; readonly same: boolean },
): Proof {
  const longest = Math.max(0, ...own.outages.map(({ ms }) => ms));
  const holds =
    lost === 0 &&
    transfer.good &&
    same &&
    other.failed === 0 &&
    own.wrong === 0 &&
    longest <= MOST_DNS_OUTAGE_MS &&
    own.outages.length <= times;
  return {
    measured: `${times} restarts: ${lost} of ${sent} packets lost; own DNS away ≤ ${Math.round(longest)} ms, the other's ${other.failed} failures`,
    holds,
    details: [
      `transfer ${transfer.good ? "goes on" : "was cut"}; tunnel processes ${same ? "adopted every time" : "were replaced"}`,
      `ready again after ${Math.round(median(readyMs))} ms at the median, ${Math.round(Math.max(...readyMs))} ms at most`,
      `own DNS: ${own.failed} of ${own.asked} questions without an answer, in ${own.outages.length} outages, ${own.wrong} wrong answers`,
      `other gateway's DNS: ${other.failed} of ${other.asked}`,
    ],
  };
}
