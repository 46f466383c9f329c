import { err, type Family, type Ip, ok, type Result } from "#values";
import type { LinkJson } from "./links.ts";
import { allOf, outside } from "./outside.ts";
import { parseRows, type RouteJson } from "./route.ts";

/** What WireGuard puts around a packet: 32 bytes of its own, 8 of UDP, and the outer IP header. */
const OVERHEAD: Readonly<Record<Family, number>> = { 4: 32 + 8 + 20, 6: 32 + 8 + 40 };
/** A TUN device takes no more (IF_MAX_MTU). */
const LARGEST = 65_535;
/** Every IPv4 link carries this much (RFC 791), plus the overhead. */
const SMALLEST = 576;

/** tunnelMtu is the MTU, in bytes, inside a tunnel whose outer packets are of a family and at most `linkMtu` long. */
export function tunnelMtu(linkMtu: number, family: Family): number {
  if (!(Number.isInteger(linkMtu) && linkMtu >= SMALLEST)) {
    throw new RangeError(`link MTU must be a whole number of at least ${SMALLEST}: current value is ${linkMtu}`);
  }
  return Math.min(linkMtu, LARGEST) - OVERHEAD[family];
}

/** Underlay is the way to an address outside the tunnels. */
export interface Underlay {
  readonly link: string;
  /** In bytes: the route's own MTU if it has one, else the link's. */
  readonly mtu: number;
  /** Source address of that way; null where the kernel names none. */
  readonly source: Ip | null;
}

interface RouteToJson extends RouteJson {
  readonly metrics?: readonly { readonly mtu?: number }[];
}

/** underlayOf asks the kernel for the way to an address, a peer's endpoint for instance. */
export async function underlayOf(towards: Ip): Promise<Result<Underlay>> {
  const [route, links] = await Promise.all([
    outside(["ip", "-j", "route", "get", towards]),
    outside(["ip", "-j", "link", "show"]),
  ]);
  const texts = allOf<[string, string]>([route, links]);
  return texts.ok ? parseUnderlay(towards, ...texts.value) : texts;
}

/** underlayMtu is the MTU, in bytes, of the way to an address. */
export async function underlayMtu(towards: Ip): Promise<Result<number>> {
  const underlay = await underlayOf(towards);
  return underlay.ok ? ok(underlay.value.mtu) : underlay;
}

/** parseUnderlay reads `ip -j route get ADDRESS` and `ip -j link show`. */
export function parseUnderlay(towards: Ip, route: string, links: string): Result<Underlay> {
  const rows = allOf<[readonly RouteToJson[], readonly LinkJson[]]>([parseRows(route), parseRows(links)]);
  if (!rows.ok) return rows;
  const [way] = rows.value[0];
  const link = rows.value[1].find(({ ifname }) => ifname === way?.dev);
  const mtu = way?.metrics?.find((metric) => metric.mtu !== undefined)?.mtu ?? link?.mtu;
  if (way?.dev === undefined || mtu === undefined) return err(`no route to ${towards}`);
  return ok({ link: way.dev, mtu, source: (way.prefsrc ?? null) as Ip | null });
}
