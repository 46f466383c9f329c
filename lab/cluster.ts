import { addressAt, type Cidr, cidrOf, cidrParts, type Ip } from "#values";
import { ipBatch, mustExec } from "./exec.ts";
import { installKubeProxy } from "./kube-proxy.ts";
import { createPlace, type Place } from "./place.ts";
import { attachNode, BRIDGE_MAC, UNDERLAY } from "./underlay.ts";

/** ClusterSpec is what tells one cluster from another. */
export interface ClusterSpec {
  readonly name: string;
  /** From 1; the first node's address on the underlay is .(10 + index). */
  readonly index: number;
  /** Number of nodes, 1 unless told. */
  readonly nodes?: number;
  readonly podCidr: Cidr;
  readonly serviceCidr: Cidr;
  /** Whether the CNI masquerades what its pods send out of the pod network, as most do. */
  readonly masquerade: boolean;
}

/** ClusterNode is a machine of a cluster: gateways run here, pods hang on its bridge. */
export interface ClusterNode extends Place {
  readonly cluster: string;
  /** From 1; also the number of its /24 in the pod CIDR. */
  readonly number: number;
  readonly address: Ip;
  /** The node's share of the pod CIDR, a /24. Its first address is the bridge. */
  readonly podRange: Cidr;
  readonly bridge: Ip;
}

/** Cluster is a cluster that is up. */
export interface Cluster extends ClusterSpec {
  readonly members: readonly ClusterNode[];
}

/** createCluster makes the nodes of a cluster: uplink, bridge `cni0`, routes to each other's pods, and the rules of a
 *  kube-proxy and a CNI of its own. Two clusters may have the same CIDRs, since only node addresses are shared. */
export async function createCluster(underlay: Place, spec: ClusterSpec): Promise<Cluster> {
  const numbers = Array.from({ length: spec.nodes ?? 1 }, (_, i) => i + 1);
  const members = await Promise.all(numbers.map((number) => createNode(underlay, spec, number)));
  const cluster = { ...spec, members };
  for (const node of members) await joinNode(node, cluster);
  return cluster;
}

/** joinNode gives a node its routes to the pods of the others, and the rules of kube-proxy and CNI. */
export async function joinNode(node: ClusterNode, cluster: Cluster): Promise<void> {
  const others = cluster.members.filter((other) => other.number !== node.number);
  await ipBatch(node, [...others.map((other) => `route add ${other.podRange} via ${other.address}`), "link show lo"]);
  await installKubeProxy(node, cluster, []);
}

/** firstNode is the node of a cluster that has one; there is always one. */
export function firstNode(cluster: Cluster): ClusterNode {
  const node = cluster.members[0];
  if (node === undefined) throw new Error(`cluster ${cluster.name} has no node`);
  return node;
}

/** createNode makes one machine of a cluster. The uplink comes first: what a node adds afterwards must not depend on the
 *  order of nodes. */
export async function createNode(underlay: Place, spec: ClusterSpec, number: number): Promise<ClusterNode> {
  const place = await createPlace(underlay.run, `${spec.name}-${number}`, "127.0.0.1");
  const podRange = nodeRange(spec.podCidr, number);
  const node: ClusterNode = {
    ...place,
    cluster: spec.name,
    number,
    address: nodeAddress(spec.index, number),
    podRange,
    bridge: addressAt(podRange, 1n),
  };
  await attachNode(underlay, node, node.address);
  await ipBatch(node, [
    `link add cni0 address ${BRIDGE_MAC} type bridge`,
    `addr add ${node.bridge}/24 dev cni0`,
    "link set cni0 up",
  ]);
  await writeSysctls(node);
  return node;
}

/** nodeRange is the k-th /24 of a pod CIDR, the 0-th left free: 10.244.1.0/24 for node 1. */
export function nodeRange(podCidr: Cidr, number: number): Cidr {
  const { family, base } = cidrParts(podCidr);
  return cidrOf(family, base + BigInt(number) * 256n, 24);
}

/** nodeAddress leaves room for twenty clusters, and for as many nodes as fit above them. */
export function nodeAddress(index: number, number: number): Ip {
  if (index < 1 || index > 20) throw new RangeError(`cluster index must be 1 to 20: ${index}`);
  return addressAt(UNDERLAY, BigInt(10 + index + 20 * (number - 1)));
}

/** A node forwards for its pods, also from one to another, and filters by reverse path on its uplink, as distributions
 *  do. */
async function writeSysctls(node: Place): Promise<void> {
  const values = {
    ip_forward: "1",
    "conf/all/send_redirects": "0",
    "conf/cni0/send_redirects": "0",
    "conf/all/rp_filter": "0",
    "conf/eth0/rp_filter": "1",
  };
  for (const [key, value] of Object.entries(values)) {
    await mustExec(node, ["tee", `/proc/sys/net/ipv4/${key}`], { stdin: value });
  }
}
