import { addressAt, err, ok, type Result } from "#values";
import { startDownload } from "../ask.ts";
import { busiestOf } from "../carrier.ts";
import type { Cluster } from "../cluster.ts";
import type { Clusterset } from "../clusterset.ts";
import { eventually } from "../eventually.ts";
import { waitForLine } from "../job.ts";
import { loseNode } from "../node-loss.ts";
import { startPlainNode } from "../plain-node.ts";
import { addPod, POD_HTTP_PORT, type Pod, runPodServer } from "../pod.ts";
import { startGateway, verbJson } from "../program.ts";
import { plainNode } from "../sibling-scene.ts";
import { demand, take } from "./demand.ts";
import type { Downloaded } from "./download.ts";
import { globalAddress, type Prefixes } from "./prefixes.ts";

/** Behind is a pod whose node is no gateway: two gateways stand in front of it. */
export interface Behind {
  readonly cluster: Cluster;
  readonly pod: Pod;
  readonly prefixes: Prefixes;
}

/** addSecondGateway gives cedar a second gateway, with the identity of the first and no token, and a pod on the node
 *  behind both. It returns when birch has a way up to each. */
export async function addSecondGateway(set: Clusterset, prefixes: Prefixes): Promise<Behind> {
  const cluster = set.scene.clusters.cedar;
  const node = plainNode(cluster);
  await startGateway(cluster, { node: 2 });
  const address = addressAt(node.podRange, 10n);
  const pod = await addPod(cluster, { name: "far-0", address, node: node.number });
  await Promise.all([runPodServer(pod, set.scene.marker), startPlainNode(cluster, node, cluster.members.slice(0, 2))]);
  const ways = async (): Promise<Result<number>> => {
    const { peers } = take(
      await verbJson<{ peers: { cluster: string; up: boolean }[] }>(set.gateways.birch, ["status"]),
    );
    const up = peers.filter((peer) => peer.cluster === "cedar" && peer.up).length;
    return up === 2 ? ok(up) : err(`birch has ${up} of 2 ways to cedar`);
  };
  take(await eventually(ways));
  return { cluster, pod, prefixes };
}

export interface NodeLoss extends Downloaded {
  /** Name of the host that was lost. */
  readonly host: string;
}

/** Detection, the change of the routes, and TCP's own wait for the first answer after them. */
const MOST_GAP_MS = 2000;

/** checkNodeLoss: the host of the gateway that carries a download loses power, and the download goes on by the other. */
export async function checkNodeLoss(set: Clusterset, behind: Behind, seconds: number): Promise<NodeLoss> {
  const { birchClient } = set.scene.pods;
  const url = `http://${globalAddress(behind.prefixes, behind.pod)}:${POD_HTTP_PORT}/download?seconds=${seconds}`;
  const download = await startDownload(birchClient, "far-download", url);
  const announced = JSON.parse(await waitForLine(download, (line) => line.includes("started"))) as { length: number };
  // What the pod sends leaves by the gateway that its node chose for this flow.
  const [first, second] = behind.cluster.members;
  demand(first !== undefined && second !== undefined, "node loss: there are two gateways");
  const host = await busiestOf([first, second]);
  await loseNode(set.scene.underlay, host);
  const end = await waitForLine(download, (line) => line.includes("done"), (seconds + 15) * 1000);
  const downloaded = JSON.parse(end) as Downloaded;
  demand(downloaded.good && downloaded.bytes === announced.length, `node loss: ${end}`);
  demand(downloaded.gapMs <= MOST_GAP_MS, `node loss: nothing came for ${downloaded.gapMs} ms`);
  return { ...downloaded, host: host.name };
}
