import type { Cidr, Ip } from "#values";
import { byRouter } from "./nexthops.ts";
import { OVERLAY } from "./ours.ts";

/** The overlay carries packets between a gateway and nodes of its own cluster that are not next to it: VXLAN (RFC 7348) with
 *  every neighbour written down, so that nothing is flooded and nothing is learned. It does not encrypt. */

/** Overlay is what the device is to be. */
export interface Overlay {
  /** This node's address in the cluster's network: outer packets leave from it. */
  readonly local: Ip;
  /** This node's global address. */
  readonly address: Cidr;
  /** In bytes. */
  readonly mtu: number;
  readonly peers: readonly OverlayPeer[];
}

export interface OverlayPeer {
  /** By which it is a neighbour inside, and in the cluster's network. */
  readonly global: Ip;
  readonly local: Ip;
}

/** OverlayState is the device as it was found. */
export interface OverlayState {
  readonly local: Ip;
  readonly mtu: number;
  readonly up: boolean;
  readonly addresses: readonly string[];
  /** Hardware address by the inner address, and outer address by the hardware address. */
  readonly neighbours: ReadonlyMap<string, string>;
  readonly forwards: ReadonlyMap<string, string>;
}

/** What VXLAN over IPv4 puts around a packet: outer IP, UDP, VXLAN, inner Ethernet. */
const OVERHEAD = 20 + 8 + 8 + 14;

/** overlayMtu is the MTU, in bytes, of the overlay over a link's. */
export function overlayMtu(linkMtu: number): number {
  return linkMtu - OVERHEAD;
}

/** macOf names a node on the overlay by its address: nobody has to be asked. Locally administered (IEEE 802). */
export function macOf(local: Ip): string {
  const octets = local.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"));
  return ["0a", "4d", ...octets].join(":");
}

/** byOverlay leads to a node on the overlay. */
export function byOverlay(global: Ip): string {
  return `${byRouter(global, OVERLAY)} onlink`;
}
