import type { Cidr, ClusterId, HostPort, Ip, TunnelKey } from "#values";
import type { Overlay } from "./overlay.ts";

/** TunnelPeer is a gateway of another member. */
export interface TunnelPeer {
  readonly publicKey: TunnelKey;
  /** Null: the peer dials us (it is behind NAT), and its endpoint is learned from its packets. */
  readonly endpoint: HostPort | null;
  /** What may come from it and goes to it; of two peers of an interface that claim one prefix the first has it. */
  readonly allowedIps: readonly Cidr[];
  /** 0 sends none. */
  readonly keepaliveSeconds: number;
}

/** TunnelInterface `mrd<index>` holds the gateways of index `index` of all other members. */
export interface TunnelInterface {
  /** 0 to 7. */
  readonly index: number;
  readonly listenPort: number;
  /** In bytes: see tunnelMtu. */
  readonly mtu: number;
  readonly peers: readonly TunnelPeer[];
}

/** Way is one tunnel to a member. */
export interface Way {
  readonly interface: number;
  /** Global address of the peer's gateway. */
  readonly gateway: Ip;
  /** The probes' verdict; null before there was one: then it stays what an earlier daemon made of it. */
  readonly up: boolean | null;
  /** It is about to go: new flows take other ways, and those that it has may stay until they rest. */
  readonly draining: boolean;
}

export interface MemberRoute {
  readonly cluster: ClusterId;
  /** Its pods and nodes, by the addresses that they have here. */
  readonly prefixes: readonly Cidr[];
  readonly ways: readonly Way[];
}

/** Sibling is another node of our own member. */
export interface Sibling {
  readonly global: Ip;
  /** Its address in the cluster's own network, directly reachable from here. */
  readonly local: Ip;
  /** A gateway: traffic may fall back to it when our own tunnels to a member are gone. */
  readonly gateway: boolean;
  /** Whether it answers, and takes flows: only then is a silent tunnel believed to be the tunnel's fault. */
  readonly up: boolean;
}

/** TunnelPlan is all that one gateway's tunnels should be. IPv4 inside the tunnels; either family outside. */
export interface TunnelPlan {
  readonly supernet: Cidr;
  readonly servicePrefix: Cidr;
  /** `local` is this node's address in its cluster's network, `global` its address in the supernet. */
  readonly node: { readonly local: Ip; readonly global: Ip };
  readonly interfaces: readonly TunnelInterface[];
  readonly members: readonly MemberRoute[];
  /** Pod CIDRs of members that are reached untranslated: outside the supernet, and as little to leave in clear. */
  readonly direct: readonly Cidr[];
  readonly siblings: readonly Sibling[];
  /** The way to nodes of the member that are not next to this one; null where there are none. */
  readonly overlay: Overlay | null;
  /** Whether this gateway itself is about to go: then its siblings carry what they can. */
  readonly leaving: boolean;
  /** Port of the probes (UDP) and of throughput tests (TCP): their packets leave by the tunnel that they measure. */
  readonly probePort: number;
  /** Links to the outside and overlay links, where rp_filter must be loose: replies may take another gateway. */
  readonly underlayLinks: readonly string[];
}
