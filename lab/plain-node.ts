import { fileURLToPath } from "node:url";
import type { Cidr, Ip } from "#values";
import type { ClusterNode } from "./cluster.ts";
import { ipBatch, mustExec } from "./exec.ts";
import { type Job, spawnIn, waitForLine } from "./job.ts";

/** PlainGateway is one of the gateways in front of a plain node. */
export interface PlainGateway {
  readonly name: string;
  /** Address in the cluster's network. */
  readonly local: Ip;
  /** Address in the supernet: there it answers probes. */
  readonly global: Ip;
}

/** Ids of the node's nexthops: two for each gateway, since a resilient group that shrinks to one member forgets which of
 *  its buckets are busy and would move live flows when the other returns. */
const FIRST_HOP = 100;
export const GROUP = 900;
/** As the program's own groups have them. */
const TIMERS = "idle_timer 10 unbalanced_timer 120";

/** hopsOf are the nexthop ids of the gateway at a place in the list. */
function hopsOf(at: number): readonly number[] {
  return [FIRST_HOP + 2 * at, FIRST_HOP + 2 * at + 1];
}

/** groupLine shares the flows among some gateways, by their places. */
export function groupLine(verb: "add" | "replace", places: readonly number[]): string {
  const members = places.flatMap(hopsOf).join("/");
  return `nexthop ${verb} id ${GROUP} group ${members} type resilient${verb === "add" ? " buckets 128" : ""} ${TIMERS}`;
}

/** installPlainNode gives a node without a gateway of its own its ways into the supernet: a group over the gateways of
 *  its cluster, made by hand, and a watcher that keeps dead ones out of it. Returns when all gateways answer. */
export async function installPlainNode(
  node: ClusterNode,
  supernet: Cidr,
  gateways: readonly PlainGateway[],
): Promise<Job> {
  for (const [key, value] of [
    ["fib_multipath_hash_policy", "1"], // flows, not hosts
    ["conf/eth0/rp_filter", "2"], // an answer may come by the other gateway
  ]) {
    await mustExec(node, ["tee", `/proc/sys/net/ipv4/${key}`], { stdin: value ?? "" });
  }
  await ipBatch(node, [
    ...gateways.map(({ global, local }) => `route add ${global} via ${local}`),
    ...gateways.flatMap(({ local }, at) => hopsOf(at).map((id) => `nexthop add id ${id} via ${local} dev eth0`)),
    groupLine("add", [...gateways.keys()]),
    `route add ${supernet} nhid ${GROUP} src ${node.address}`,
  ]);
  const script = fileURLToPath(new URL("./plain-node-watch.ts", import.meta.url));
  const job = await spawnIn(node, `${node.name}-watch`, [
    process.execPath,
    script,
    node.address,
    JSON.stringify(gateways),
  ]);
  await waitForLine(job, (line) => line === "ready");
  return job;
}
