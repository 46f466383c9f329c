import {
  type Cidr,
  covers,
  err,
  expect,
  type Ip,
  networkOf,
  overlaps,
  parseCidr,
  parseIp,
  type Result,
  swapPrefix,
} from "#values";
import type { ClusterNode } from "../cluster.ts";
import type { Clusterset } from "../clusterset.ts";
import { eventually } from "../eventually.ts";
import type { Pod } from "../pod.ts";
import { type Daemon, verbJson } from "../program.ts";
import { CLUSTERS, POD_CIDR } from "../scene.ts";
import { demand, take } from "./demand.ts";

/** Allocation is one entry of `meridian ipam list -o json`, as far as it is looked at. */
export interface Allocation {
  readonly cluster: string | null;
  readonly kind: "pods" | "nodes" | "service";
  readonly prefix: Cidr;
  readonly local: Cidr | null;
  readonly namespace: string | null;
  readonly name: string | null;
  readonly state: "live" | "quarantine";
}

/** Prefixes is what a member is called by all others. */
export interface Prefixes {
  readonly pods: Cidr;
  readonly nodes: Cidr;
}

/** The supernet that a broker has unless told. */
export const SUPERNET = expect(parseCidr("242.0.0.0/8"));

/** listAllocations reads the allocation tree from the broker. */
export async function listAllocations(broker: Daemon): Promise<readonly Allocation[]> {
  return take(await verbJson<readonly Allocation[]>(broker, ["ipam", "list"]));
}

/** checkPrefixes: each member holds one global prefix for the pod CIDR that all have, one for its nodes, and no two
 *  overlap. Gives them by cluster. */
export async function checkPrefixes({ broker }: Clusterset): Promise<ReadonlyMap<string, Prefixes>> {
  return prefixesFrom(await listAllocations(broker), CLUSTERS);
}

/** prefixesFrom reads the prefixes of some members from the allocation tree, and judges the tree. */
export function prefixesFrom(
  allocations: readonly Allocation[],
  clusters: readonly string[],
): ReadonlyMap<string, Prefixes> {
  const live = allocations.filter((entry) => entry.state === "live" && entry.kind !== "service");
  for (const [i, entry] of live.entries()) {
    demand(covers(SUPERNET, entry.prefix), `prefixes: ${entry.prefix} of ${entry.cluster} is outside ${SUPERNET}`);
    const twin = live.slice(i + 1).find((other) => overlaps(entry.prefix, other.prefix));
    demand(twin === undefined, `prefixes: ${entry.prefix} overlaps ${twin?.prefix}`);
  }
  return new Map(clusters.map((cluster) => [cluster, prefixesOf(live, cluster)]));
}

/** checkServiceAddress waits until a Service has its address in the clusterset, and gives it. */
export async function checkServiceAddress({ broker }: Clusterset, namespace: string, name: string): Promise<Ip> {
  const find = async (): Promise<Result<Ip>> => {
    const isIt = (entry: Allocation): boolean =>
      entry.kind === "service" && entry.namespace === namespace && entry.name === name;
    const prefix = (await listAllocations(broker)).find(isIt)?.prefix;
    return prefix === undefined
      ? err(`${namespace}/${name} has no service address`)
      : parseIp(prefix.replace("/32", ""));
  };
  return take(await eventually(find));
}

/** seenAs is what a server in another member must see when a place connects to it: a pod's own global address, or an
 *  address of its node prefix for a process of a node. */
export function seenAs(prefixes: ReadonlyMap<string, Prefixes>, place: Pod | ClusterNode): Cidr {
  const own = prefixes.get(place.cluster);
  demand(own !== undefined, `prefixes: ${place.cluster} has some`);
  return isPod(place) ? networkOf(globalAddress(own, place), 32) : own.nodes;
}

/** globalAddress is a pod's address in all other members. */
export function globalAddress(own: Prefixes, pod: Pod): Ip {
  return swapPrefix(pod.address, POD_CIDR, own.pods);
}

/** Only pods have a host name of their own; a node is named by its place. */
function isPod(place: Pod | ClusterNode): place is Pod {
  return "hostname" in place;
}

/** A member has exactly one prefix for the one pod CIDR it has, and at least one for its nodes. */
function prefixesOf(live: readonly Allocation[], cluster: string): Prefixes {
  const own = live.filter((entry) => entry.cluster === cluster);
  const pods = own.filter((entry) => entry.kind === "pods" && entry.local === POD_CIDR);
  const nodes = own.filter((entry) => entry.kind === "nodes");
  const [pod, node] = [pods[0], nodes[0]];
  demand(pods.length === 1 && pod !== undefined, `prefixes: ${cluster} has one for ${POD_CIDR}, not ${pods.length}`);
  demand(node !== undefined, `prefixes: ${cluster} has one for its nodes`);
  return { pods: pod.prefix, nodes: node.prefix };
}
