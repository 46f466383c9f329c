import { fileURLToPath } from "node:url";
import {
  type ClusterNode,
  type Daemon,
  endOf,
  eventually,
  firstNode,
  getOnce,
  installServices,
  type Job,
  linesOf,
  type Pod,
  type Run,
  runPodServer,
  spawnIn,
  startDownload,
  stopJob,
  waitForLine,
} from "#lab";
import { systemClock } from "#life";
import { expect, type Ip, parseIp } from "#values";
import { addPods, joinCluster, type Pair, raisePair } from "../bench/index.ts";
import type { DnsStreamed } from "./dns-stream.ts";

/** Two joined clusters under traffic that misses nothing: packets, a connection and questions. */

const NAME = "web.shop.svc.clusterset.local";
const DNS_STREAM = fileURLToPath(new URL("./dns-stream.ts", import.meta.url));

/** Stage is two clusters, a server in amber and a client in birch. */
export interface Stage {
  readonly pair: Pair;
  readonly amber: Daemon;
  readonly birch: Daemon;
  readonly client: Pod;
  readonly podAddress: Ip;
}

/** raiseStage joins both clusters, and exports a service of amber's that birch's pod has reached once. */
export async function raiseStage(run: Run): Promise<Stage> {
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
  return { pair, amber, birch, client, podAddress: expect(parseIp("242.1.1.10")) };
}

/** Traffic is what came of it. */
export interface Traffic {
  readonly sent: number;
  readonly lost: number;
  /** The long transfer was neither cut nor reset. */
  readonly transferGoesOn: boolean;
  readonly own: DnsStreamed;
  readonly other: DnsStreamed;
}

/** startTraffic begins a ping at 20 Hz, a long transfer, and 100 questions a second to each gateway's DNS. */
export async function startTraffic({ pair, client, podAddress }: Stage): Promise<{ end(): Promise<Traffic> }> {
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
        transferGoesOn: alive,
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
