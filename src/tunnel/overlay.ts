import { type Cidr, type Ip, ok, type Result } from "#values";
import type { LinkJson } from "./links.ts";
import { byRouter } from "./nexthops.ts";
import { OVERLAY } from "./ours.ts";
import { parseRows } from "./route.ts";
import type { Step } from "./step.ts";

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

/** Numbers of our own: a CNI has its VXLAN on the usual port, with VNI 1 or 4096. */
export const OVERLAY_PORT = 7722;
const VNI = 77;
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

/** isSame reports whether a device can become what is wanted without being made again. */
export function isSame(have: OverlayState | null, want: Overlay | null): boolean {
  return have === null || want === null || have.local === want.local;
}

/** makeSteps come before all that uses the overlay; the device's settings come after them. */
export function makeSteps(have: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (want === null) return [];
  const device = `address ${macOf(want.local)} mtu ${want.mtu} type vxlan`;
  const vxlan = `id ${VNI} dstport ${OVERLAY_PORT} local ${want.local} nolearning`;
  return [
    ...(isSame(have, want) ? [] : [ip(`link del dev ${OVERLAY}`)]),
    ...(have !== null && isSame(have, want) ? [] : [ip(`link add ${OVERLAY} ${device} ${vxlan}`)]),
  ];
}

/** fillSteps bring it up, and write down its neighbours. */
export function fillSteps(found: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (want === null) return [];
  const have = isSame(found, want) ? found : null;
  const peers = want.peers.map(({ global, local }) => ({ global, local, mac: macOf(local) }));
  return [
    ...(have === null || have.mtu === want.mtu ? [] : [ip(`link set dev ${OVERLAY} mtu ${want.mtu}`)]),
    ...(have?.addresses.includes(want.address) ? [] : [ip(`addr add ${want.address} dev ${OVERLAY}`)]),
    ...(have?.up ? [] : [ip(`link set dev ${OVERLAY} up`)]),
    ...peers
      .filter(({ global, mac }) => have?.neighbours.get(global) !== mac)
      .map(({ global, mac }) => ip(`neigh replace ${global} lladdr ${mac} dev ${OVERLAY} nud permanent`)),
    ...peers
      .filter(({ mac, local }) => have?.forwards.get(mac) !== local)
      .map(({ mac, local }) => bridge(`fdb replace ${mac} dev ${OVERLAY} dst ${local} self permanent`)),
  ];
}

/** dropSteps come after all that used what they take away. */
export function dropSteps(have: OverlayState | null, want: Overlay | null): readonly Step[] {
  if (have === null || !isSame(have, want)) return [];
  if (want === null) return [ip(`link del dev ${OVERLAY}`)];
  const [inner, macs] = [want.peers.map(({ global }) => `${global}`), want.peers.map(({ local }) => macOf(local))];
  const gone = [...have.neighbours.keys()].filter((global) => !inner.includes(global));
  return [
    ...have.addresses
      .filter((address) => address !== want.address)
      .map((address) => ip(`addr del ${address} dev ${OVERLAY}`)),
    ...gone.map((global) => ip(`neigh del ${global} dev ${OVERLAY}`)),
    ...[...have.forwards]
      .filter(([mac]) => !macs.includes(mac))
      .map(([mac, local]) => bridge(`fdb del ${mac} dev ${OVERLAY} dst ${local} self`)),
  ];
}

/** byOverlay leads to a node on the overlay. */
export function byOverlay(global: Ip): string {
  return `${byRouter(global, OVERLAY)} onlink`;
}

interface VxlanJson extends LinkJson {
  readonly linkinfo?: { readonly info_data?: { readonly local?: string } };
}

interface NeighbourJson {
  readonly dst?: string;
  readonly lladdr?: string;
  readonly state?: readonly string[];
}

interface ForwardJson {
  readonly mac?: string;
  readonly dst?: string;
}

/** parseOverlay reads `ip -d -j addr show`, `ip -4 -j neigh show` and `bridge -j fdb show` of the device; null where the
 *  first shows none. */
export function parseOverlay(link: string, neighbours: string, forwards: string): Result<OverlayState | null> {
  const [links, known, table] = [
    parseRows<VxlanJson>(link),
    parseRows<NeighbourJson>(neighbours),
    parseRows<ForwardJson>(forwards),
  ];
  if (!links.ok) return links;
  if (!known.ok) return known;
  if (!table.ok) return table;
  const found = links.value.find(({ ifname }) => ifname === OVERLAY);
  if (found === undefined) return ok(null);
  const { mtu = 0, flags = [], addr_info = [], linkinfo } = found;
  const inet = addr_info.filter(({ family }) => family === "inet");
  const permanent = known.value.filter(({ state }) => state?.includes("PERMANENT"));
  return ok({
    local: (linkinfo?.info_data?.local ?? "0.0.0.0") as Ip,
    mtu,
    up: flags.includes("UP"),
    addresses: inet.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    neighbours: new Map(permanent.map(({ dst = "", lladdr = "" }) => [dst, lladdr])),
    forwards: new Map(table.value.flatMap(({ mac = "", dst }) => (dst === undefined ? [] : [[mac, dst] as const]))),
  });
}

function ip(line: string): Step {
  return { kind: "ip", line };
}

function bridge(line: string): Step {
  return { kind: "bridge", line };
}
