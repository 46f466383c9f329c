import type { GlobalnetPlan } from "#globalnet";
import type { NetworkDocument, NetworkNode } from "#kube";
import type { ProbeTarget } from "#probe";
import { type Neighbour, type NodeGateway, type NodePlan, overlayMtu } from "#tunnel";
import type { Cidr, Ip, NodeName } from "#values";

/** NodeView is all that a node is compiled from. */
export interface NodeView {
  readonly network: NetworkDocument;
  readonly node: NetworkNode;
  /** Links behind which this node's own pods are. */
  readonly localLinks: readonly string[];
  /** Which gateways are next to this node, by their addresses in the cluster's network. */
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
  readonly underlayMtu: number;
  /** The underlay's link and the CNI's own, by which answers come. */
  readonly underlayLinks: readonly string[];
  /** The probes' verdict on a gateway; undefined before the first. */
  readonly isUp: (gateway: NodeName) => boolean | undefined;
}

export interface CompiledNode {
  readonly routes: NodePlan;
  readonly globalnet: GlobalnetPlan;
  readonly targets: readonly ProbeTarget[];
}

/** compileNode is pure: what the gateways told and what the machine has, to routes, translation and probe targets. */
export function compileNode(view: NodeView): CompiledNode {
  const { network, node, localLinks, isUp } = view;
  const { supernet, servicePrefix, nodePrefix, pods, direct } = network;
  const here = { local: node.local, global: node.global };
  const gateways = network.gateways.map(({ name, index, local, global, draining }): NodeGateway => {
    return { index, local, global, link: linkTo(local, view), draining, up: isUp(name) ?? null };
  });
  return {
    routes: {
      ...{ supernet, servicePrefix, direct: direct.pods, node: here, gateways },
      ...{ overlay: overlayOf(view, gateways), underlayLinks: view.underlayLinks },
    },
    globalnet: {
      ...{ supernet, servicePrefix, nodePrefix, pods, direct, localLinks, node: here },
      hostPorts: node.ports,
      // What a gateway has beside: tunnels, ports of its own, siblings; and pods that are endpoints of a service table.
      ...{ tunnels: [], daemonPorts: [], siblings: [], hairpin: [] },
    },
    targets: network.gateways.map(({ name, global }) => ({ id: name, address: global, interface: null })),
  };
}

/** Null: by the overlay. The gateways decide alike, each by its own links. */
function linkTo(gateway: Ip, { network, neighbours }: NodeView): string | null {
  return network.way === "auto" ? (neighbours.get(gateway)?.link ?? null) : null;
}

function overlayOf({ node, underlayMtu }: NodeView, gateways: readonly NodeGateway[]): NodePlan["overlay"] {
  const peers = gateways.filter(({ link }) => link === null).map(({ global, local }) => ({ global, local }));
  if (peers.length === 0) return null;
  return { local: node.local, address: `${node.global}/32` as Cidr, mtu: overlayMtu(underlayMtu), peers };
}
