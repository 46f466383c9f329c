import type { Cidr, Ip } from "#values";
import { groupIds } from "./group-ids.ts";
import { byLink, type Hop, inOrder, type Twins } from "./nexthops.ts";
import {
  FALLBACK_METRIC,
  interfaceName,
  nexthopIds,
  OVERLAY,
  PROBE_TABLE,
  SERVICE_TABLE,
  STANDING_METRIC,
} from "./ours.ts";
import type { Overlay } from "./overlay.ts";
import { LOCAL_TABLE, MAIN_TABLE, type Route, routeKey } from "./route.ts";
import type { Rule } from "./rule.ts";
import type { MemberRoute, TunnelPlan, Way } from "./tunnel-plan.ts";
import type { TunnelState } from "./tunnel-state.ts";

/** Wanted is a TunnelPlan in the kernel's own terms, comparable one to one with a TunnelState. */
export interface Wanted {
  readonly overlay: Overlay | null;
  readonly nexthops: ReadonlyMap<number, string>;
  readonly groups: ReadonlyMap<number, readonly Hop[]>;
  readonly twins: Twins;
  /** Routes that need nothing else and outlive everything else. */
  readonly standing: readonly Route[];
  readonly routes: readonly Route[];
  readonly rules: readonly Rule[];
  readonly sysctls: ReadonlyMap<string, string>;
}

/** NOTHING_WANTED is the aim of a teardown. */
export const NOTHING_WANTED: Wanted = {
  overlay: null,
  nexthops: new Map(),
  groups: new Map(),
  twins: "apart",
  standing: [],
  routes: [],
  rules: [],
  sysctls: new Map(),
};

/** wanted translates a plan. It looks at what is there for two things only: the group of a member all of whose ways
 *  look down stays as it is, and links that do not exist (yet) have no sysctls. */
export function wanted(have: Pick<TunnelState, "groups" | "sysctls">, want: TunnelPlan): Wanted {
  const ids = groupIds(want.members.map(({ cluster }) => cluster));
  const interfaces = new Set(want.interfaces.map(({ index }) => index));
  const members = want.members.map((member) => ({
    member: { ...member, ways: member.ways.filter((way) => interfaces.has(way.interface)) },
    group: ids.get(member.cluster) ?? 0,
  }));
  return {
    overlay: want.overlay,
    nexthops: new Map(
      [...interfaces].flatMap((i) => nexthopIds(i).map((id) => [id, byLink(interfaceName(i))] as const)),
    ),
    groups: new Map(
      members
        .filter(({ member, group }) => carries(member, want, have.groups.get(group) ?? []))
        .map(({ member, group }) => [group, groupOf(member, have.groups.get(group) ?? [])]),
    ),
    twins: "apart",
    standing: standingRoutes(want),
    routes: firstOfEach([
      ...members.flatMap(({ member, group }) => memberRoutes(member, group, want, have.groups.get(group) ?? [])),
      ...nodeRoutes(want),
      ...overlayRoutes(want.overlay),
    ]),
    rules: rulesOf(want),
    sysctls: sysctlsOf(have.sysctls, want),
  };
}

/** standingRoutes keep what is for the clusterset from leaving in clear by the default route, and this node's own global
 *  address reachable whatever interface is there. */
export function standingRoutes({
  supernet,
  direct,
  node,
}: Pick<TunnelPlan, "supernet" | "direct" | "node">): readonly Route[] {
  const refuse = (dst: Cidr): Route => ({ type: "unreachable", dst, metric: STANDING_METRIC, table: MAIN_TABLE });
  return [
    ...[supernet, ...direct].map(refuse),
    { type: "local", dst: hostOf(node.global), dev: "lo", metric: 0, table: LOCAL_TABLE },
  ];
}

/** groupOf is the nexthops that a member's flows are spread over: its healthy ways. Where none looks healthy the fault
 *  is as likely ours (a busy machine, a lost probe worker), so nothing moves. */
export function groupOf({ ways }: Pick<MemberRoute, "ways">, present: readonly Hop[]): readonly Hop[] {
  const up = ways.filter((way) => isUsed(way, present));
  if (up.length > 0) return shared(up);
  const all = shared(ways);
  const kept = present.filter(({ id }) => all.some((hop) => hop.id === id));
  return kept.length > 0 ? kept : all;
}

/** A way that nobody has judged yet is used if it is in the group: a daemon that starts adopts what it finds. */
function isUsed({ up, interface: index }: Way, present: readonly Hop[]): boolean {
  return up ?? present.some(({ id }) => nexthopIds(index).includes(id));
}

/** A draining way weighs so little beside the others that none of the group's 128 buckets is meant for it. The kernel
 *  then takes its buckets away when they have been idle, where leaving it out of the group would move live flows. */
const HEAVY = 256;

/** shared are the twins of some ways, in the kernel's order: equal sets give equal lists. */
function shared(ways: readonly Way[]): readonly Hop[] {
  const staying = ways.some((way) => !way.draining);
  const leaving = ways.some((way) => way.draining);
  const weights = new Map(ways.map((way) => [way.interface, staying && leaving && !way.draining ? HEAVY : 1] as const));
  return inOrder([...weights].flatMap(([index, weight]) => nexthopIds(index).map((id) => ({ id, weight }))));
}

/** memberRoutes are the ways to one member: its group of tunnels first, then its fallback by our sibling gateways, and a
 *  route of its own to each of its gateways for probes.
 *  `src` keeps a process of this node from taking the address of mrd*: its packets are translated by their source. */
function memberRoutes(member: MemberRoute, nhid: number, want: TunnelPlan, present: readonly Hop[]): readonly Route[] {
  const { prefixes, ways } = member;
  const { local, global } = want.node;
  const via = fallback(want);
  const common = { type: "unicast", table: MAIN_TABLE, src: local } as const;
  return [
    ...(carries(member, want, present) ? prefixes.map((dst): Route => ({ ...common, dst, nhid, metric: 0 })) : []),
    ...(via.length > 0 ? prefixes.map((dst): Route => ({ ...common, dst, via, metric: FALLBACK_METRIC })) : []),
    // Probes follow their own tunnel whether it looks up or not: otherwise it could never look up again.
    ...ways.map(
      (way): Route => ({
        type: "unicast",
        dst: hostOf(way.gateway),
        dev: interfaceName(way.interface),
        src: global,
        metric: 0,
        table: PROBE_TABLE,
      }),
    ),
  ];
}

/** fallback are the next hops below the tunnels: siblings that answer, or all of them where none does. */
function fallback({ siblings }: TunnelPlan): readonly Ip[] {
  const gateways = siblings.filter((sibling) => sibling.gateway);
  const live = gateways.filter((sibling) => sibling.up);
  return [...new Set((live.length > 0 ? live : gateways).map((sibling) => sibling.local))].sort();
}

/** carries reports whether a member's packets take our own tunnels. They do not when all of them are silent while a
 *  sibling next to us answers: then it is not this machine that hears nothing, and the sibling may have a way. Nor
 *  when this gateway is about to go. */
export function carries(
  { ways }: Pick<MemberRoute, "ways">,
  { siblings, leaving }: Pick<TunnelPlan, "siblings" | "leaving">,
  present: readonly Hop[],
): boolean {
  if (ways.length === 0) return false;
  const helped = siblings.some((sibling) => sibling.gateway && sibling.up);
  return !helped || (!leaving && ways.some((way) => isUsed(way, present)));
}

/** nodeRoutes lead to our own member's other nodes, and let processes of this node name service addresses. */
function nodeRoutes({ siblings, servicePrefix, node }: TunnelPlan): readonly Route[] {
  return [
    ...siblings.map(
      ({ global, local }): Route => ({
        type: "unicast",
        dst: hostOf(global),
        via: [local],
        metric: 0,
        table: MAIN_TABLE,
      }),
    ),
    serviceRoute({ servicePrefix, node }),
  ];
}

/** overlayRoutes lead to the nodes on the overlay. */
export function overlayRoutes(overlay: Overlay | null): readonly Route[] {
  const peers = overlay?.peers ?? [];
  return peers.map(({ global }) => {
    return { type: "unicast", dst: hostOf(global), dev: OVERLAY, metric: 0, table: MAIN_TABLE };
  });
}

/** serviceRoute lets processes of this node name service addresses: their route lookup comes before the table. */
export function serviceRoute({ servicePrefix, node }: Pick<TunnelPlan, "servicePrefix" | "node">): Route {
  return { type: "unicast", dst: servicePrefix, dev: "lo", src: node.local, metric: 0, table: SERVICE_TABLE };
}

/** serviceRule has them look there. */
export function serviceRule(servicePrefix: Cidr): Rule {
  return { preference: SERVICE_TABLE, to: servicePrefix, table: SERVICE_TABLE };
}

/** rulesOf: both tables hold for what this node itself sends; forwarded packets never look there. Probes and throughput
 *  tests are told by their port at either end, since requests go to it and answers come from it. */
function rulesOf({ servicePrefix, supernet, probePort }: TunnelPlan): readonly Rule[] {
  const ends = [
    { protocol: "udp", end: "sport" },
    { protocol: "udp", end: "dport" },
    { protocol: "tcp", end: "sport" },
    { protocol: "tcp", end: "dport" },
  ] as const;
  return [
    serviceRule(servicePrefix),
    ...ends.map((end) => ({
      ...{ preference: PROBE_TABLE, to: supernet, table: PROBE_TABLE },
      match: { ...end, port: probePort },
    })),
  ];
}

/** sysctlsOf: forwarding; flows, not hosts, spread over the ways (L4 hash); and loose reverse-path checks (RFC 3704),
 *  since a reply may come by another gateway. The kernel takes the larger of conf.all and conf.LINK: 2 is loose. */
function sysctlsOf(present: ReadonlyMap<string, string>, want: TunnelPlan): ReadonlyMap<string, string> {
  const underlay = want.underlayLinks.map(rpFilter).filter((name) => present.has(name));
  const tunnels = want.interfaces.map(({ index }) => rpFilter(interfaceName(index)));
  return forwarding([...underlay, ...tunnels, ...(want.overlay === null ? [] : [rpFilter(OVERLAY)])]);
}

/** forwarding are the sysctls, given the paths of the links' settings. */
export function forwarding(links: readonly string[]): ReadonlyMap<string, string> {
  return new Map([
    ["net/ipv4/ip_forward", "1"],
    ["net/ipv4/fib_multipath_hash_policy", "1"],
    ...[...new Set(links)].map((name): [string, string] => [name, "2"]),
  ]);
}

/** rpFilter is the path of a link's setting; as a path, since a link's name may have dots. */
export function rpFilter(link: string): string {
  return `net/ipv4/conf/${link}/rp_filter`;
}

/** hostOf is one address as a network. */
export function hostOf(ip: Ip): Cidr {
  return `${ip}/32` as Cidr;
}

/** firstOfEach keeps one route per key: two members that claim one prefix must not make each plan undo the last. */
function firstOfEach(routes: readonly Route[]): readonly Route[] {
  const byKey = new Map<string, Route>();
  for (const route of routes) if (!byKey.has(routeKey(route))) byKey.set(routeKey(route), route);
  return [...byKey.values()];
}
