import type { GlobalnetPlan } from "#globalnet";
import type { NodeWay } from "#kube";
import { PROBE_PORT, type ProbeTarget } from "#probe";
import {
  interfaceName,
  type MemberRoute,
  type Neighbour,
  overlayMtu,
  type TunnelInterface,
  type TunnelPeer,
  type TunnelPlan,
  type Way,
} from "#tunnel";
import {
  addressAt,
  type Cidr,
  type ClusterId,
  cidrFamily,
  contains,
  familyOf,
  type HostPort,
  type Ip,
  isSpecial,
  type NodeName,
  overlaps,
} from "#values";
import type { Catalogue, GatewayBody } from "#wire";
import { KEEPALIVE_SECONDS } from "./options.ts";
import type { OtherNode } from "./other-nodes.ts";
import { byAge, type PairMode, pairModes, podsOf } from "./pair-modes.ts";
import { hopsOf, type SiblingGateway, siblingsOf } from "./siblings.ts";

/** NetworkView is all that the network of this gateway is compiled from. */
export interface NetworkView {
  readonly catalogue: Catalogue;
  readonly own: ClusterId;
  readonly gateway: NodeName;
  readonly supernet: Cidr;
  readonly servicePrefix: Cidr;
  readonly nodeLocal: Ip;
  readonly listenPort: number;
  readonly mtu: number;
  readonly underlayMtu: number;
  readonly underlayLinks: readonly string[];
  readonly localLinks: readonly string[];
  /** Which of the member's other gateways are next to this one, by their local addresses. */
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
  /** The member's nodes without a gateway, and how packets go to and fro. */
  readonly nodes: readonly OtherNode[];
  readonly nodeWay: NodeWay;
  /** Whether this gateway is about to go. */
  readonly leaving: boolean;
  /** The probes' verdict on a way; undefined before the first. */
  readonly isUp: (id: string) => boolean | undefined;
}

/** Place is what this gateway was granted. */
export interface Place {
  readonly index: number;
  readonly node: Ip;
  readonly nodePrefix: Cidr;
  readonly pods: readonly { readonly local: Cidr; readonly global: Cidr }[];
}

export interface CompiledNetwork {
  readonly place: Place;
  /** How each other member's pods are reached. */
  readonly modes: ReadonlyMap<ClusterId, PairMode>;
  readonly tunnels: TunnelPlan;
  readonly globalnet: GlobalnetPlan;
  /** The ways to peers, and the member's other gateways. */
  readonly targets: readonly ProbeTarget[];
}

/** placeOf reads this gateway's own grants; undefined until the broker has granted all of them. */
export function placeOf(catalogue: Catalogue, own: ClusterId, gateway: NodeName): Place | undefined {
  const holding = catalogue.ledger.holding(own);
  const index = holding?.gateways.find(({ name }) => name === gateway)?.index;
  const nodePrefix = holding?.nodes.find((prefix) => cidrFamily(prefix) === 4);
  if (holding === undefined || index === undefined || nodePrefix === undefined) return undefined;
  const pods = holding.pods
    .filter(({ local }) => cidrFamily(local) === 4)
    .map(({ local, prefix }) => ({ local, global: prefix }));
  return { index, nodePrefix, pods, node: nodeAddress(nodePrefix, index) };
}

/** nodeAddress is a gateway's own global address: its index names its place in the member's node prefix. */
export function nodeAddress(nodePrefix: Cidr, index: number): Ip {
  return addressAt(nodePrefix, BigInt(index + 1));
}

/** wayId names a way to a peer's gateway in probes, status and logs. */
export function wayId(cluster: ClusterId, gateway: NodeName): string {
  return `${cluster}/${gateway}`;
}

/** compileNetwork is pure: catalogue and machine to tunnels, translation and probe targets. */
export function compileNetwork(view: NetworkView): CompiledNetwork | undefined {
  const place = placeOf(view.catalogue, view.own, view.gateway);
  if (place === undefined) return undefined;
  const modes = pairModes(view.catalogue, view.own);
  const peers = peersOf(view, place.index, modes);
  const siblings = siblingsOf(view);
  const node = { local: view.nodeLocal, global: place.node };
  const interfaces = interfacesOf(view, peers);
  const direct = directOf(view.catalogue, modes);
  return {
    place,
    modes,
    targets: targetsOf(peers, siblings),
    tunnels: {
      supernet: view.supernet,
      servicePrefix: view.servicePrefix,
      node,
      interfaces,
      members: membersOf(view, peers),
      siblings: [...hopsOf(siblings), ...nearOf(view)],
      overlay: overlayOf(view, place.node),
      direct: direct.pods,
      leaving: view.leaving,
      probePort: PROBE_PORT,
      underlayLinks: view.underlayLinks,
    },
    globalnet: {
      supernet: view.supernet,
      servicePrefix: view.servicePrefix,
      pods: place.pods,
      nodePrefix: place.nodePrefix,
      direct,
      node,
      tunnels: interfaces.map(({ index }) => interfaceName(index)),
      localLinks: view.localLinks,
      hostPorts: [],
      daemonPorts: [
        { protocol: "UDP", port: PROBE_PORT },
        { protocol: "TCP", port: PROBE_PORT },
      ],
      siblings: siblings.flatMap(({ mac }) => mac ?? []),
      hairpin: [],
    },
  };
}

/** A node is reached at its own global address, directly where it is next to us. Its pods are not asked for: that is the
 *  CNI's. */
function nearOf(view: NetworkView): TunnelPlan["siblings"] {
  const near = view.nodes.filter((node) => isNear(node, view));
  return near.map(({ global, local }) => ({ global, local, gateway: false, up: false }));
}

function isNear({ local }: OtherNode, { neighbours, nodeWay }: NetworkView): boolean {
  return nodeWay === "auto" && neighbours.has(local);
}

/** The others are on the overlay. Its outer packets are IPv4. */
function overlayOf(view: NetworkView, node: Ip): TunnelPlan["overlay"] {
  const afar = view.nodes.filter((one) => !isNear(one, view) && familyOf(one.local) === 4);
  if (afar.length === 0 || familyOf(view.nodeLocal) !== 4) return null;
  const peers = afar.map(({ global, local }) => ({ global, local }));
  return { local: view.nodeLocal, address: `${node}/32` as Cidr, mtu: overlayMtu(view.underlayMtu), peers };
}

/** Siblings are probed too, by the cluster's own network: one that answers can carry what our tunnels cannot. */
function targetsOf(peers: readonly Peer[], siblings: readonly SiblingGateway[]): readonly ProbeTarget[] {
  return [
    ...peers.map(({ id, body }) => ({ id, address: body.address, interface: interfaceName(body.index) })),
    ...siblings.map(({ id, global }) => ({ id, address: global, interface: null })),
  ];
}

interface Peer {
  readonly id: string;
  readonly cluster: ClusterId;
  readonly body: GatewayBody;
  readonly endpoint: HostPort | null;
  readonly prefixes: readonly Cidr[];
}

/** prefixesOf are a member's pods and nodes by the addresses that others know them by, in a stable order. */
export function prefixesOf(
  catalogue: Catalogue,
  cluster: ClusterId,
  mode: PairMode["kind"] = "globalnet",
): readonly Cidr[] {
  const holding = catalogue.ledger.holding(cluster);
  const pods = mode === "direct" ? podsOf(catalogue, cluster) : (holding?.pods.map(({ prefix }) => prefix) ?? []);
  return [...pods, ...(holding?.nodes ?? [])].filter((prefix) => cidrFamily(prefix) === 4).sort();
}

/** directOf are the members that are reached untranslated, together. */
function directOf(catalogue: Catalogue, modes: ReadonlyMap<ClusterId, PairMode>): GlobalnetPlan["direct"] {
  const clusters = [...modes].flatMap(([cluster, { kind }]) => (kind === "direct" ? [cluster] : []));
  const pods = clusters.flatMap((cluster) => podsOf(catalogue, cluster));
  const nodes = clusters.flatMap((cluster) => catalogue.ledger.holding(cluster)?.nodes ?? []);
  return { pods: pods.sort(), nodes: nodes.filter((prefix) => cidrFamily(prefix) === 4).sort() };
}

/** Gateways of other members whose prefixes nobody else holds: WireGuard would move a prefix to its last claimant. */
function peersOf(view: NetworkView, ownIndex: number, modes: ReadonlyMap<ClusterId, PairMode>): readonly Peer[] {
  const taken: Cidr[] = [...prefixesOf(view.catalogue, view.own)];
  return [...view.catalogue.live()].sort(byAge).flatMap((member): Peer[] => {
    if (member.cluster === view.own) return [];
    const prefixes = prefixesOf(view.catalogue, member.cluster, modes.get(member.cluster)?.kind).filter(
      (prefix) => !taken.some((t) => overlaps(t, prefix)),
    );
    taken.push(...prefixes);
    return [...member.gateways.values()].map(({ body }) => ({
      id: wayId(member.cluster, body.name),
      cluster: member.cluster,
      body,
      endpoint: usable(body.endpoints[ownIndex] ?? null, view.supernet),
      prefixes,
    }));
  });
}

/** An endpoint inside the clusterset, on this host or of nobody would have our tunnels send where a member may not
 *  point them: such a peer has to dial us. */
function usable(endpoint: HostPort | null, supernet: Cidr): HostPort | null {
  if (endpoint === null || endpoint.port === 0) return null;
  return isSpecial(endpoint.host) || contains(supernet, endpoint.host) ? null : endpoint;
}

/** Interface i holds the index-i gateways of all other members; only those that are needed are made. */
function interfacesOf({ listenPort, mtu }: NetworkView, peers: readonly Peer[]): readonly TunnelInterface[] {
  const indices = [...new Set([0, ...peers.map(({ body }) => body.index)])].sort();
  return indices.map((index) => ({
    index,
    listenPort: listenPort + index,
    mtu,
    peers: peers.filter(({ body }) => body.index === index).map(peerOf),
  }));
}

function peerOf({ body, endpoint, prefixes }: Peer): TunnelPeer {
  return { publicKey: body.tunnelKey, endpoint, allowedIps: prefixes, keepaliveSeconds: KEEPALIVE_SECONDS };
}

function membersOf({ isUp }: NetworkView, peers: readonly Peer[]): readonly MemberRoute[] {
  const clusters = [...new Set(peers.map(({ cluster }) => cluster))];
  return clusters.map((cluster) => {
    const mine = peers.filter((peer) => peer.cluster === cluster);
    const ways = mine.map(
      ({ id, body }): Way => ({
        interface: body.index,
        gateway: body.address,
        up: isUp(id) ?? null,
        draining: body.draining === true,
      }),
    );
    return { cluster, prefixes: mine[0]?.prefixes ?? [], ways };
  });
}
