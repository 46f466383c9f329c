import type { Cidr, ClusterId, HostPort, Ip, TunnelKey } from "#values";
import type { TunnelPeer, TunnelPlan, Way } from "./tunnel-plan.ts";

export const cidr = (text: string): Cidr => text as Cidr;
export const ip = (text: string): Ip => text as Ip;
export const cluster = (text: string): ClusterId => text as ClusterId;

/** BASE_PORT of the hosts of the testbed. */
export const BASE_PORT = 51820;

/** Gateway is one machine of a member, as the tests' plans need it. */
export interface Gateway {
  /** Number of the member: pods 242.n.0.0/16, nodes 242.0.n.0/24. */
  readonly member: number;
  readonly index: number;
  readonly ip: Ip;
  readonly publicKey: TunnelKey;
}

/** globalOf is a gateway's global address. */
export function globalOf({ member, index }: Gateway): Ip {
  return ip(`242.0.${member}.${index + 1}`);
}

/** planOf is the plan of one gateway for a set of all gateways, its own siblings included; `isUp` is the probes' word. */
export function planOf(
  self: Gateway,
  all: readonly Gateway[],
  isUp: (peer: Gateway) => boolean | null = () => true,
): TunnelPlan {
  const others = all.filter(({ member }) => member !== self.member);
  const siblings = all.filter(({ member, index }) => member === self.member && index !== self.index);
  const indices = [...new Set(others.map(({ index }) => index))].sort();
  return {
    supernet: cidr("242.0.0.0/8"),
    servicePrefix: cidr("242.192.0.0/10"),
    node: { local: self.ip, global: globalOf(self) },
    interfaces: indices.map((index) => ({
      index,
      listenPort: BASE_PORT + index,
      mtu: 1440,
      peers: others.filter((peer) => peer.index === index).map((peer) => peerOf(self, peer)),
    })),
    members: [...new Set(others.map(({ member }) => member))].map((member) => ({
      cluster: cluster(`c${member}`),
      prefixes: prefixesOf(member),
      ways: others.filter((peer) => peer.member === member).map((peer) => wayOf(peer, isUp(peer))),
    })),
    direct: [],
    siblings: siblings.map((sibling) => ({ global: globalOf(sibling), local: sibling.ip, gateway: true, up: true })),
    overlay: null,
    leaving: false,
    probePort: 7799,
    underlayLinks: ["eth0"],
  };
}

/** prefixesOf are a member's pods and nodes, as the default allocation gives them. */
function prefixesOf(member: number): readonly Cidr[] {
  return [cidr(`242.${member}.0.0/16`), cidr(`242.0.${member}.0/24`)];
}

/** peerOf: the pair (A's j, B's i) is A's mrd<i> and B's mrd<j>, so B listens for A's j on its port j. */
function peerOf(self: Gateway, { member, ip: host, publicKey }: Gateway): TunnelPeer {
  const endpoint: HostPort = { host, port: BASE_PORT + self.index };
  return { publicKey, endpoint, allowedIps: prefixesOf(member), keepaliveSeconds: 5 };
}

function wayOf(peer: Gateway, up: boolean | null): Way {
  return { interface: peer.index, gateway: globalOf(peer), up, draining: false };
}
