import { groupText, type Hop, linkOf, sameHops, type Twins } from "./nexthops.ts";
import type { NodePlan } from "./node-plan.ts";
import { nodeWanted } from "./node-wanted.ts";
import { indexOf, interfaceName, isNameless, OVERLAY } from "./ours.ts";
import { dropSteps, fillSteps, isSame, makeSteps } from "./plan-overlay.ts";
import { configureSteps, forgetSteps } from "./plan-peers.ts";
import { type Route, routeKey, routeText } from "./route.ts";
import { type Rule, ruleText } from "./rule.ts";
import type { Step } from "./step.ts";
import type { TunnelInterface, TunnelPlan } from "./tunnel-plan.ts";
import type { TunnelState } from "./tunnel-state.ts";
import { NOTHING_WANTED, type Wanted, wanted } from "./wanted.ts";

/** BUCKETS of a resilient group: flows are spread in units of 1/128. The kernel cannot change it later. */
const BUCKETS = 128;
/** A bucket idle this long may move to a nexthop that came back; a busy one may after UNBALANCED_SECONDS. */
const IDLE_SECONDS = 10;
const UNBALANCED_SECONDS = 120;

/** plan lists the steps from what is there to what should be; none when it is there already. Pure.
 *
 *  Order of adding: the standing `unreachable` (from here on nothing leaves in clear by the default route), interfaces,
 *  sysctls, peers, link up and addresses, nexthops, groups, routes, rules. Each needs the one before it, and a route
 *  never points at a peer that is not there. Removing goes backwards, after all adding, so that a flow that moves finds
 *  its new way before it loses the old one. */
export function plan(have: TunnelState, want: TunnelPlan | NodePlan): readonly Step[] {
  if (have.mode === "none") return [];
  if ("gateways" in want) return difference(have, [], (present) => nodeWanted(present, want));
  return difference(have, want.interfaces, (present) => wanted(present, want));
}

/** planTeardown lists the steps that take everything of ours away; sysctls are restored apart from it. */
export function planTeardown(have: TunnelState): readonly Step[] {
  return have.mode === "none" ? [] : difference(have, [], () => NOTHING_WANTED);
}

/** difference is plan and planTeardown in one: `aim` says what is wanted, given what will be there once the interfaces
 *  that are missing were made (and everything that hung on their predecessors is gone). */
function difference(
  found: TunnelState,
  interfaces: readonly TunnelInterface[],
  aim: (present: TunnelState) => Wanted,
): readonly Step[] {
  const missing = interfaces.filter(({ index }) => !found.interfaces.get(index)?.device);
  const present = withoutInterfaces(found, new Set(missing.map(({ index }) => index)));
  const want = aim(present);
  const have = isSame(found.overlay, want.overlay) ? present : withoutOverlay(present);
  const keep = new Set(interfaces.map(({ index }) => index));
  const gone = [...have.interfaces.keys()].filter((index) => !keep.has(index));
  const [standing, carrying] = [have.routes.filter(isStanding), have.routes.filter((route) => !isStanding(route))];
  return [
    ...missingRoutes(standing, want.standing),
    ...missing.map(({ index, listenPort }): Step => ({ kind: "create", index, listenPort })),
    ...makeSteps(found.overlay, want.overlay),
    ...sysctlSteps(have, want),
    ...configureSteps(have, interfaces),
    ...interfaces.flatMap((wish) => linkSteps(have, wish, want)),
    ...fillSteps(found.overlay, want.overlay),
    ...nexthopSteps(have, want),
    ...missingRoutes(carrying, want.routes),
    ...lines(
      ruleTexts(want.rules).filter((text) => !ruleTexts(have.rules).includes(text)),
      "rule add",
    ),

    // From here on everything goes away, the last dependent first.
    ...lines(
      ruleTexts(have.rules).filter((text) => !ruleTexts(want.rules).includes(text)),
      "rule del",
    ),
    ...surplusRoutes(carrying, want.routes),
    ...surplusNexthops(have, want),
    ...forgetSteps(have, interfaces),
    ...interfaces.flatMap((wish) => surplusAddresses(have, wish, want)),
    ...gone.map((index): Step => ({ kind: "destroy", index })),
    ...dropSteps(found.overlay, want.overlay),
    ...surplusRoutes(standing, want.standing),
  ];
}

/** withoutInterfaces is the state after the kernel lost interfaces: with a device go its nexthops and its routes, with
 *  its last nexthop a group, with a group the routes by it. What was read while the kernel was at it still shows some of
 *  these, on a device that has no name any more. */
export function withoutInterfaces(have: TunnelState, lost: ReadonlySet<number>): TunnelState {
  const isLost = (device = ""): boolean => isNameless(device) || lost.has(indexOf(device) ?? -1);
  return withoutLinks(
    { ...have, interfaces: new Map([...have.interfaces].filter(([index]) => !lost.has(index))) },
    isLost,
  );
}

/** withoutOverlay is the state after the overlay's device was taken away. */
export function withoutOverlay(have: TunnelState): TunnelState {
  return withoutLinks({ ...have, overlay: null }, (device) => device === OVERLAY);
}

function withoutLinks(have: TunnelState, isLost: (device?: string) => boolean): TunnelState {
  const nexthops = new Map([...have.nexthops].filter(([, way]) => !isLost(linkOf(way))));
  const groups = new Map(
    [...have.groups]
      .map(([id, members]) => [id, members.filter((hop) => nexthops.has(hop.id))] as const)
      .filter(([, members]) => members.length > 0),
  );
  return {
    ...have,
    sysctls: new Map([...have.sysctls].filter(([name]) => !isLost(name.split("/")[3]))),
    nexthops,
    groups,
    routes: have.routes.filter(({ dev, nhid }) => !isLost(dev) && (nhid === undefined || groups.has(nhid))),
  };
}

/** linkSteps bring an interface up, configured and addressed before its first packet. */
function linkSteps(have: TunnelState, { index, mtu }: TunnelInterface, want: Wanted): readonly Step[] {
  const link = have.interfaces.get(index);
  const dev = interfaceName(index);
  const address = addressOf(want);
  return [
    ...(link?.mtu === mtu ? [] : [ip(`link set dev ${dev} mtu ${mtu}`)]),
    // rp_filter=2 acts as strict on an interface without an IPv4 address: each has the node's global one.
    ...(link?.addresses.includes(address) ? [] : [ip(`addr add ${address} dev ${dev}`)]),
    ...(link?.up ? [] : [ip(`link set dev ${dev} up`)]),
  ];
}

/** surplusAddresses goes after the routes: an address that is still a route's source would take the route with it. */
function surplusAddresses(have: TunnelState, { index }: TunnelInterface, want: Wanted): readonly Step[] {
  const present = have.interfaces.get(index)?.addresses ?? [];
  const surplus = present.filter((address) => address !== addressOf(want));
  return surplus.map((address) => ip(`addr del ${address} dev ${interfaceName(index)}`));
}

/** addressOf is the node's global address with its length: every mrd* has it, and a local route on `lo` too, so that
 *  it stays reachable while no interface is there. */
function addressOf({ standing }: Wanted): string {
  return standing.find((route) => route.type === "local")?.dst ?? "";
}

/** sysctlSteps come after the interfaces: a new one starts from conf.default, whatever the old one had. */
function sysctlSteps(have: TunnelState, want: Wanted): readonly Step[] {
  const changed = [...want.sysctls].filter(([name, value]) => have.sysctls.get(name) !== value);
  return changed.map(([name, value]): Step => ({ kind: "sysctl", name, value }));
}

/** nexthopSteps add nexthops before the groups that name them; one that leads elsewhere now is replaced in place. So is a
 *  group: the kernel moves only the buckets whose nexthop left, and idle ones to a nexthop that came (kernel docs,
 *  nexthop-group-resilient). */
function nexthopSteps(have: TunnelState, want: Wanted): readonly Step[] {
  const changed = [...want.nexthops].filter(([id, way]) => have.nexthops.get(id) !== way);
  const groups = [...want.groups].filter(([id, members]) => !sameHops(have.groups.get(id), members));
  return [
    ...changed.map(([id, way]) => ip(`nexthop ${have.nexthops.has(id) ? "replace" : "add"} id ${id} ${way} proto 77`)),
    ...groups.map(([id, members]) => ip(groupLine(have.groups.has(id) ? "replace" : "add", id, members, want.twins))),
  ];
}

/** groupLine makes a group, or gives it other members. */
export function groupLine(verb: "add" | "replace", id: number, members: readonly Hop[], twins?: Twins): string {
  // A replaced group keeps the buckets it was made with: naming another number would be refused.
  const buckets = verb === "add" ? ` buckets ${BUCKETS}` : "";
  const timers = `idle_timer ${IDLE_SECONDS} unbalanced_timer ${UNBALANCED_SECONDS}`;
  return `nexthop ${verb} id ${id} group ${groupText(members, twins)} type resilient${buckets} ${timers} proto 77`;
}

/** surplusNexthops removes groups before nexthops: a nexthop takes itself out of its groups, and an emptied group its
 *  routes with it. */
function surplusNexthops(have: TunnelState, want: Wanted): readonly Step[] {
  const groups = [...have.groups.keys()].filter((id) => !want.groups.has(id));
  const nexthops = [...have.nexthops.keys()].filter((id) => !want.nexthops.has(id));
  return [...groups, ...nexthops].map((id) => ip(`nexthop del id ${id}`));
}

/** missingRoutes adds with `add`, which fails where somebody else has the same route; only a route of ours is replaced.
 *  A local route is appended: the kernel keeps one of its own for the same address on each mrd*. */
function missingRoutes(have: readonly Route[], want: readonly Route[]): readonly Step[] {
  const present = new Map(have.map((route) => [routeKey(route), routeText(route)]));
  return want.flatMap((route) => {
    const [before, text] = [present.get(routeKey(route)), routeText(route)];
    if (before === text) return [];
    const verb = route.type === "local" ? "append" : before === undefined ? "add" : "replace";
    return [ip(`route ${verb} ${text}`)];
  });
}

/** surplusRoutes names every attribute of a route to delete, so that no route of somebody else can match. */
function surplusRoutes(have: readonly Route[], want: readonly Route[]): readonly Step[] {
  const keys = new Set(want.map(routeKey));
  return have.filter((route) => !keys.has(routeKey(route))).map((route) => ip(`route del ${routeText(route)}`));
}

/** isStanding tells the two routes that stand alone from those that carry packets somewhere. */
function isStanding({ type }: Route): boolean {
  return type !== "unicast";
}

function ruleTexts(rules: readonly Rule[]): readonly string[] {
  return rules.map(ruleText);
}

function lines(texts: readonly string[], verb: string): readonly Step[] {
  return texts.map((text) => ip(`${verb} ${text}`));
}

function ip(line: string): Step {
  return { kind: "ip", line };
}
