import { join } from "node:path";
import { err, expect, ok, type Result } from "#values";
import type { Cluster, ClusterNode } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { manifestFolder, writeManifests } from "./manifests.ts";
import { type Daemon, startNode, verbJson } from "./program.ts";

interface NodeStatus {
  readonly gateways: readonly { readonly name: string; readonly up: boolean }[];
}

/** startPlainNode has a node without a gateway run the program as such: its way is by the cluster's gateways, of which the
 *  first tells it where all of them are. It returns when all of them answer. */
export async function startPlainNode(
  cluster: Cluster,
  node: ClusterNode,
  gateways: readonly ClusterNode[],
): Promise<Daemon> {
  const [first] = gateways;
  if (first === undefined) throw new Error(`${cluster.name} has no gateway`);
  await tellNodes(cluster, gateways);
  const network = join(node.run.folder, "data", first.name, "network.json");
  const daemon = await startNode(node, network);
  const all = async (): Promise<Result<void>> => {
    const said = await verbJson<NodeStatus>(daemon, ["status"]);
    const up = said.ok ? said.value.gateways.filter((gateway) => gateway.up).length : 0;
    return up === gateways.length ? ok(undefined) : err(`${node.name}: ${up} of ${gateways.length} gateways answer`);
  };
  expect(await eventually(all, { timeoutMs: 20_000, everyMs: 100 }));
  return daemon;
}

/** tellNodes says in the cluster's manifests which nodes it has, as an API server would. */
async function tellNodes({ name, members }: Cluster, gateways: readonly ClusterNode[]): Promise<void> {
  const [any] = members;
  if (any === undefined) return;
  const isGateway = (node: ClusterNode): boolean => gateways.some(({ number }) => number === node.number);
  const nodes = members.map((node) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: node.name, ...(isGateway(node) ? { labels: { "meridian.io/gateway": "true" } } : {}) },
    status: { addresses: [{ type: "InternalIP", address: node.address }] },
  }));
  await writeManifests(await manifestFolder(any, name), "nodes.yaml", nodes);
}
