import { fileURLToPath } from "node:url";
import type { Ip } from "#values";
import type { Cluster } from "./cluster.ts";
import { type ClusterNode, firstNode } from "./cluster.ts";
import { ipBatch } from "./exec.ts";
import { type Job, spawnIn, waitForLine } from "./job.ts";
import { createPlace, type Place } from "./place.ts";

/** Pod is a place behind a node: a network namespace with one address. */
export interface Pod extends Place {
  readonly cluster: string;
  /** Host name of the pod, unique in its cluster. */
  readonly hostname: string;
  readonly node: ClusterNode;
  readonly address: Ip;
}

/** PodSpec asks for a pod; its address lies in its node's range. */
export interface PodSpec {
  readonly name: string;
  readonly address: Ip;
  /** Number of its node, 1 unless told. */
  readonly node?: number;
  /** Whom it asks for names; its own node unless told. */
  readonly nameserver?: Ip;
}

/** Ports that every pod server listens on. */
export const POD_HTTP_PORT = 8080;
export const POD_UDP_PORT = 9000;

/** addPod makes a pod behind its node's `cni0`. It asks its node for names, as pods ask their cluster's DNS.
 *  It has a /32 and sends everything to its node, so that translation also works between two pods of one bridge where
 *  the kernel does not show bridged packets to conntrack (no br_netfilter). */
export async function addPod(cluster: Cluster, { name, address, node: number = 1, nameserver }: PodSpec): Promise<Pod> {
  const node = cluster.members.find((member) => member.number === number) ?? firstNode(cluster);
  const place = await createPlace(node.run, `${cluster.name}-${name}`, nameserver ?? node.address);
  const port = `veth${address.split(".")[3]}`;
  await ipBatch(node, [
    `link add ${port} type veth peer name eth0 netns ${place.pid}`,
    `link set ${port} master cni0 up`,
    `link set ${port} type bridge_slave hairpin on`, // a pod may be its own Service's endpoint
  ]);
  await ipBatch(place, [
    `addr add ${address}/32 dev eth0`,
    "link set eth0 up",
    `route add ${node.bridge} dev eth0`,
    `route add default via ${node.bridge}`,
  ]);
  return { ...place, cluster: cluster.name, hostname: name, node, address };
}

/** runPodServer starts a real HTTP and UDP server in a pod and waits until it listens. `marker` is a text that stands
 *  in every answer: whoever finds it elsewhere has read the traffic. */
export async function runPodServer(pod: Pod, marker: string): Promise<Job> {
  const script = fileURLToPath(new URL("./pod-server.ts", import.meta.url));
  const job = await spawnIn(pod, pod.name, [
    process.execPath,
    script,
    ...["--pod", pod.hostname],
    ...["--cluster", pod.cluster],
    ...["--marker", marker],
    ...["--http", String(POD_HTTP_PORT)],
    ...["--udp", String(POD_UDP_PORT)],
  ]);
  await waitForLine(job, (line) => line === "ready");
  return job;
}
