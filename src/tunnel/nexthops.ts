import { ok, type Result } from "#values";
import { twinOf } from "./ours.ts";
import { parseRows } from "./route.ts";

/** NexthopJson is a nexthop object as `ip -j nexthop` writes it, as far as it matters here. */
interface NexthopJson {
  readonly id?: number;
  readonly gateway?: string;
  readonly dev?: string;
  readonly group?: readonly { readonly id?: number; readonly weight?: number }[];
}

/** Hop is one nexthop in a group; its part of new flows is its weight's part of the group's sum. */
export interface Hop {
  readonly id: number;
  /** 1 to 256. */
  readonly weight: number;
}

/** Nexthops are our nexthop objects: where plain ones lead, and groups by their members. */
export interface Nexthops {
  /** As `ip nexthop` takes it: `dev mrd0`, `via 172.31.0.10 dev eth0`. */
  readonly nexthops: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, readonly Hop[]>;
}

/** parseNexthops reads `ip -j nexthop show proto 77`: where plain nexthops lead, groups by members, sorted by id.
 *  The kernel's tool leaves a weight of 1 out. */
export function parseNexthops(text: string): Result<Nexthops> {
  const rows = parseRows<NexthopJson>(text);
  if (!rows.ok) return rows;
  const nexthops = new Map<number, string>();
  const groups = new Map<number, readonly Hop[]>();
  for (const { id = 0, gateway, dev = "", group } of rows.value) {
    if (group === undefined) nexthops.set(id, gateway === undefined ? byLink(dev) : byRouter(gateway, dev));
    else groups.set(id, inOrder(group.map((member) => ({ id: member.id ?? 0, weight: member.weight ?? 1 }))));
  }
  return ok({ nexthops, groups });
}

/** byLink leads onto a link without a router: a tunnel. */
export function byLink(dev: string): string {
  return `dev ${dev}`;
}

/** byRouter leads to a neighbour on a link. */
export function byRouter(gateway: string, dev: string): string {
  return `via ${gateway} dev ${dev}`;
}

/** linkOf is the link that a nexthop leads onto. */
export function linkOf(way: string): string {
  return way.slice(way.lastIndexOf(" ") + 1);
}

/** inOrder sorts hops by id, so that equal groups are equal lists. */
export function inOrder(hops: readonly Hop[]): readonly Hop[] {
  return [...hops].sort((a, b) => a.id - b.id);
}

/** sameHops reports whether two groups, both in order, share flows alike. */
export function sameHops(a: readonly Hop[] | undefined, b: readonly Hop[]): boolean {
  return a?.length === b.length && b.every(({ id, weight }, i) => a[i]?.id === id && a[i]?.weight === weight);
}

/** Twins says how the two ids of a way stand in a group. A packet may bring its hash along from the node before (skb->hash
 *  outlives a veth, so it does where nodes share a kernel). So a node gives each gateway one run of its buckets, with the
 *  ids `together`, and in any such run a gateway finds all its tunnels, with theirs `apart`: first all tunnels' first ids,
 *  then all second ones. */
export type Twins = "apart" | "together";

/** groupText writes the members of a group as `ip nexthop` takes them. The kernel gives out buckets in this order and
 *  rounds, so the heavy ones come first: what rounding leaves over then goes to none of the light ones. */
export function groupText(hops: readonly Hop[], twins: Twins = "apart"): string {
  const run = (id: number): number => (twins === "apart" ? twinOf(id) : 0);
  const ordered = [...hops].sort((a, b) => b.weight - a.weight || run(a.id) - run(b.id) || a.id - b.id);
  return ordered.map(({ id, weight }) => (weight === 1 ? `${id}` : `${id},${weight}`)).join("/");
}
