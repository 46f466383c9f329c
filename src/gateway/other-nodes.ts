import type { Manifests } from "#kube";
import type { ClusterId, Ip, NodeName } from "#values";
import type { Catalogue } from "#wire";

/** OtherNode is a node of our own member, without or with a gateway of its own. */
export interface OtherNode {
  readonly name: NodeName;
  /** Its address in the cluster's network. */
  readonly local: Ip;
  readonly global: Ip;
}

/** plainNodes are the member's nodes without a gateway: those that the cluster has and the speaker has numbered. */
export function plainNodes(catalogue: Catalogue, own: ClusterId, nodes: Manifests["nodes"]): readonly OtherNode[] {
  const numbered = catalogue.members.get(own)?.nodes?.nodes ?? [];
  return numbered.flatMap(({ name, address }): OtherNode[] => {
    const node = nodes.get(name);
    return node === undefined || node.gateway || node.address === null
      ? []
      : [{ name, local: node.address, global: address }];
  });
}

/** gatewayNodes are the nodes of the member's gateways, as these say themselves. */
export function gatewayNodes(catalogue: Catalogue, own: ClusterId): readonly OtherNode[] {
  const gateways = catalogue.members.get(own)?.gateways.values() ?? [];
  return [...gateways].flatMap(({ body }) => {
    return body.local == null ? [] : [{ name: body.name, local: body.local, global: body.address }];
  });
}
