import type { GlobalnetPlan } from "#globalnet";
import type { NetworkDocument, NetworkGateway, NetworkNode } from "#kube";
import type { ProbeTarget } from "#probe";
import type { Neighbour, NodeGateway, NodePlan } from "#tunnel";
import type { Ip, NodeName } from "#values";

/** NodeView is all that a node is compiled from. */
export interface NodeView {
  readonly network: NetworkDocument;
  readonly node: NetworkNode;
  /** Links behind which this node's own pods are. */
  readonly localLinks: readonly string[];
  /** Which gateways are next to this node, by their addresses in the cluster's network. */
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
  /** The probes' verdict on a gateway; undefined before the first. */
  readonly isUp: (gateway: NodeName) => boolean | undefined;
}

export interface CompiledNode {
  readonly routes: NodePlan;
  readonly globalnet: GlobalnetPlan;
  readonly targets: readonly ProbeTarget[];
  /** Gateways that no packet can be handed to from here. */
  readonly afar: readonly NetworkGateway[];
}

/** compileNode is pure: what the gateways told and what the machine has, to routes, translation and probe targets. */
export function compileNode({ network, node, localLinks, neighbours, isUp }: NodeView): CompiledNode {
  const { supernet, servicePrefix, nodePrefix, pods, direct } = network;
  const here = { local: node.local, global: node.global };
  const near = network.gateways.flatMap(({ name, index, local, global, draining }): (NodeGateway & Named)[] => {
    const link = neighbours.get(local)?.link;
    return link === undefined ? [] : [{ name, index, local, global, link, draining, up: isUp(name) ?? null }];
  });
  return {
    routes: {
      supernet,
      servicePrefix,
      direct: direct.pods,
      node: here,
      gateways: near.map(({ name: _, ...gateway }) => gateway),
    },
    globalnet: {
      ...{ supernet, servicePrefix, nodePrefix, pods, direct, localLinks, node: here },
      hostPorts: node.ports,
      // What a gateway has beside: tunnels, ports of its own, siblings; and pods that are endpoints of a service table.
      ...{ tunnels: [], daemonPorts: [], siblings: [], hairpin: [] },
    },
    targets: near.map(({ name, global }) => ({ id: name, address: global, interface: null })),
    afar: network.gateways.filter(({ local }) => !neighbours.has(local)),
  };
}

interface Named {
  readonly name: NodeName;
}
