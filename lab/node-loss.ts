import { readlink } from "node:fs/promises";
import { systemClock } from "#life";
import { type Cluster, type ClusterNode, createNode, joinNode } from "./cluster.ts";
import type { Place } from "./place.ts";
import { endProcess, processesInNetwork } from "./processes.ts";
import { cutNode, detachNode } from "./underlay.ts";

const GONE_POLL_MS = 20;
const GONE_WITHIN_MS = 10_000;

/** loseNode is a machine that loses power: its cable goes dead first, so that not one packet says goodbye, then every
 *  process of it ends and its network namespace with them. Pods on it lose their way. */
export async function loseNode(underlay: Place, node: ClusterNode): Promise<void> {
  const network = await readlink(`/proc/${node.pid}/ns/net`);
  await cutNode(underlay, node.address, "down");
  const deadline = systemClock.monotonic() + GONE_WITHIN_MS;
  for (let left = await processesInNetwork(network); left.length > 0; left = await processesInNetwork(network)) {
    for (const pid of left) endProcess(pid);
    if (systemClock.monotonic() > deadline) throw new Error(`processes of ${node.name} do not end: ${left.join(", ")}`);
    await systemClock.sleep(GONE_POLL_MS);
  }
  await detachNode(underlay, node.address);
}

/** reviveNode is the same machine after a reboot: its address and its disk, and nothing that ran on it. Gives the cluster
 *  with the new node in it. */
export async function reviveNode(underlay: Place, cluster: Cluster, number: number): Promise<Cluster> {
  const node = await createNode(underlay, cluster, number);
  const members = cluster.members.map((member) => (member.number === number ? node : member));
  await joinNode(node, { ...cluster, members });
  return { ...cluster, members };
}
