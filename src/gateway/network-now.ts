import { poolsOf } from "#ipam";
import type { NetworkDocument, NetworkGateway } from "#kube";
import { cidrFamily } from "#values";
import { portsOn } from "./compile-service.ts";
import type { Gateway } from "./state.ts";
import { ownPlace, plainNodesNow } from "./view.ts";

/** networkDocument is what this cluster's other nodes are told; undefined until this gateway has its grants. */
export function networkDocument(gateway: Gateway): NetworkDocument | undefined {
  const { options, session, reconciler } = gateway;
  const supernet = session.supernets.find((cidr) => cidrFamily(cidr) === 4);
  const place = ownPlace(gateway);
  if (supernet === undefined || place === undefined) return undefined;
  const { pods, nodePrefix } = place;
  const nodes = plainNodesNow(gateway);
  const open = reconciler.hostPorts;
  return {
    cluster: options.cluster,
    supernet,
    servicePrefix: poolsOf(supernet).services,
    nodePrefix,
    pods,
    way: options.nodeWay,
    direct: reconciler.network?.globalnet.direct ?? { pods: [], nodes: [] },
    gateways: gatewaysOf(gateway, new Set(nodes.map(({ name }) => name))),
    nodes: nodes.map((node) => ({ ...node, ports: portsOn(node.local, open) })),
  };
}

/** A node that was a gateway and has lost the label is one no more, though its record is still there. */
function gatewaysOf(
  { follower, options }: Gateway,
  plain: ReadonlySet<NetworkGateway["name"]>,
): readonly NetworkGateway[] {
  const gateways = follower.catalogue.members.get(options.cluster)?.gateways.values() ?? [];
  const told = [...gateways].flatMap(({ body }): NetworkGateway[] => {
    const { name, index, local = null, address: global, draining } = body;
    return local === null || plain.has(name) ? [] : [{ name, index, local, global, draining: draining === true }];
  });
  return told.sort((a, b) => a.index - b.index);
}
