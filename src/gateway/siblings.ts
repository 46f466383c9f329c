import type { Neighbour, Sibling } from "#tunnel";
import type { ClusterId, Ip, NodeName } from "#values";
import type { Catalogue } from "#wire";

/** SiblingGateway is another gateway of our own member. Both translate alike and keep no state of what they pass on, so
 *  either can carry any packet of any connection. */
export interface SiblingGateway {
  /** Names it among the probes' targets. */
  readonly id: string;
  readonly name: NodeName;
  readonly global: Ip;
  readonly local: Ip;
  /** Null until the kernel knows it: then what comes from it cannot be told from others' packets yet. */
  readonly mac: string | null;
  /** Whether it answers probes and takes flows. */
  readonly up: boolean;
}

export interface SiblingView {
  readonly catalogue: Catalogue;
  readonly own: ClusterId;
  readonly gateway: NodeName;
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
  readonly isUp: (id: string) => boolean | undefined;
}

/** siblingAddresses are where the member's other gateways are in the cluster's network, as they say themselves. */
export function siblingAddresses({
  catalogue,
  own,
  gateway,
}: Pick<SiblingView, "catalogue" | "own" | "gateway">): readonly Ip[] {
  const gateways = catalogue.members.get(own)?.gateways ?? new Map();
  return [...gateways.values()].flatMap(({ body }) => (body.name === gateway ? [] : (body.local ?? [])));
}

/** siblingsOf are those next to us. One behind a router cannot be handed a packet by its address alone, and could hand it
 *  back: it carries its own tunnels' flows and nothing of ours. */
export function siblingsOf({ catalogue, own, gateway, neighbours, isUp }: SiblingView): readonly SiblingGateway[] {
  const gateways = [...(catalogue.members.get(own)?.gateways.values() ?? [])];
  return gateways.flatMap(({ body }): SiblingGateway[] => {
    const local = body.local ?? null;
    const neighbour = local === null ? undefined : neighbours.get(local);
    if (body.name === gateway || local === null || neighbour === undefined) return [];
    const id = `${own}/${body.name}`;
    const up = isUp(id) === true && neighbour.mac !== null && body.draining !== true;
    return [{ id, name: body.name, global: body.address, local, mac: neighbour.mac, up }];
  });
}

/** hopsOf are the siblings as the tunnels know them. */
export function hopsOf(siblings: readonly SiblingGateway[]): readonly Sibling[] {
  return siblings.map(({ global, local, up }) => ({ global, local, gateway: true, up }));
}
