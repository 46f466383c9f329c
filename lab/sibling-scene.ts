import { err, expect, type Ip, ok, parseIp, type Result } from "#values";
import { type Cluster, type ClusterNode, createCluster, firstNode } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { reviveNode } from "./node-loss.ts";
import type { Place } from "./place.ts";
import { startPlainNode } from "./plain-node.ts";
import { addPod, type Pod, runPodServer } from "./pod.ts";
import { type Daemon, invite, startBroker, startGateway, verbJson } from "./program.ts";
import type { Run } from "./run.ts";
import { POD_CIDR, SERVICE_CIDR } from "./scene.ts";
import { installServices } from "./service.ts";
import { createUnderlay } from "./underlay.ts";

/** SiblingSpec says how many gateways each cluster has; a cluster with two also has a plain node behind them. */
export interface SiblingSpec {
  readonly amber: 1 | 2;
  readonly birch: 1 | 2;
}

/** SiblingCluster is a cluster whose first nodes are gateways; the node after them, if there is one, is plain. */
export interface SiblingCluster {
  cluster: Cluster;
  readonly gateways: Daemon[];
  /** On the plain node, or on the gateway where there is none. */
  readonly pod: Pod;
  /** The pod's address in the other member. */
  readonly podAddress: Ip;
}

/** SiblingScene is two members, equal in CIDRs, with a broker between them and a pod server in each; `web` and the
 *  headless `db` are amber's pod. */
export interface SiblingScene {
  readonly run: Run;
  readonly underlay: Place;
  broker: Daemon;
  readonly amber: SiblingCluster;
  readonly birch: SiblingCluster;
}

const MARKER = "page-of-siblings";

/** raiseSiblings builds the scene and has all gateways join; it returns when every one is ready. */
export async function raiseSiblings(run: Run, spec: SiblingSpec): Promise<SiblingScene> {
  const underlay = await createUnderlay(run);
  const broker = await startBroker(underlay);
  const amber = await raiseCluster(underlay, broker, "amber", 1, spec.amber);
  const birch = await raiseCluster(underlay, broker, "birch", 2, spec.birch);
  return { run, underlay, broker, amber, birch };
}

async function raiseCluster(
  underlay: Place,
  broker: Daemon,
  name: string,
  index: number,
  count: number,
): Promise<SiblingCluster> {
  const nodes = count > 1 ? count + 1 : 1;
  const cidrs = { podCidr: POD_CIDR, serviceCidr: SERVICE_CIDR, masquerade: false };
  const cluster = await createCluster(underlay, { name, index, nodes, ...cidrs });
  const nameserver = firstNode(cluster).address; // a plain node answers no names
  const pod = await addPod(cluster, { name: "pod-0", address: ip(`10.244.${nodes}.10`), node: nodes, nameserver });
  await runPodServer(pod, MARKER);
  if (name === "amber") await exportPod(cluster, pod);
  const gateways: Daemon[] = [];
  for (let node = 1; node <= count; node += 1) {
    // The identity that the first one's token made is the others' way in.
    const joining = node === 1 ? { token: await invite(broker, ["--cluster", name]) } : {};
    gateways.push(await startGateway(cluster, { node, ...joining }));
  }
  if (count > 1) await startPlainNode(cluster, plainNode(cluster), cluster.members.slice(0, count));
  return { cluster, gateways, pod, podAddress: ip(`242.${index}.${nodes}.10`) };
}

/** settled waits until every gateway of the scene has a way up to every gateway of the other member. */
export async function settled({ amber, birch }: SiblingScene, timeoutMs = 30_000): Promise<void> {
  const waits = [amber, birch].flatMap((here) =>
    here.gateways.map(async (daemon) => {
      const peers = (here === amber ? birch : amber).gateways.length;
      const up = async (): Promise<Result<number>> => {
        const said = await verbJson<{ readonly peers: readonly { readonly up: boolean }[] }>(daemon, ["status"]);
        const count = said.ok ? said.value.peers.filter((peer) => peer.up).length : 0;
        return count >= peers ? ok(count) : err(`${daemon.place.name} has ${count} of ${peers} ways up`);
      };
      expect(await eventually(up, { timeoutMs, everyMs: 200 }));
    }),
  );
  await Promise.all(waits);
}

/** reviveGateway brings back a gateway whose node was lost: the machine, then its daemon, which finds its disk. */
export async function reviveGateway(scene: SiblingScene, side: SiblingCluster, number: number): Promise<void> {
  side.cluster = await reviveNode(scene.underlay, side.cluster, number);
  side.gateways[number - 1] = await startGateway(side.cluster, { node: number });
}

/** plainNode is the node without a gateway. */
export function plainNode({ members }: Cluster): ClusterNode {
  const node = members.at(-1);
  if (node === undefined) throw new Error("a cluster has nodes");
  return node;
}

async function exportPod(cluster: Cluster, pod: Pod): Promise<void> {
  const one = { namespace: "shop", backends: [pod], exported: true };
  await installServices(cluster, [
    { ...one, name: "web", clusterIp: ip("10.96.0.10") },
    { ...one, name: "db", clusterIp: "None" },
  ]);
}

function ip(text: string): Ip {
  return expect(parseIp(text));
}
