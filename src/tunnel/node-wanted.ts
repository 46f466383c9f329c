import type { Cidr, Ip } from "#values";
import { byRouter } from "./nexthops.ts";
import type { NodeGateway, NodePlan } from "./node-plan.ts";
import { GROUP_IDS, nexthopIds, OVERLAY } from "./ours.ts";
import { byOverlay } from "./overlay.ts";
import { MAIN_TABLE, type Route } from "./route.ts";
import type { TunnelState } from "./tunnel-state.ts";
import {
  forwarding,
  groupOf,
  hostOf,
  rpFilter,
  serviceRoute,
  serviceRule,
  standingRoutes,
  type Wanted,
} from "./wanted.ts";

/** The one group of a node: every gateway carries what is for any member. */
const GROUP = GROUP_IDS.first;

/** nodeWanted translates the plan of a node. A gateway's index names its two nexthops, as an interface's does on a
 *  gateway. Where all gateways look down the group stays as it is: the fault is as likely here. */
export function nodeWanted(have: Pick<TunnelState, "groups" | "sysctls">, want: NodePlan): Wanted {
  const { gateways, node } = want;
  const ways = gateways.map(({ index, global, up, draining }) => {
    return { interface: index, gateway: global, up, draining };
  });
  const carried = gateways.length > 0;
  const direct = gateways.flatMap(({ link }) => (link === null ? [] : [link]));
  const links = [...new Set([...direct, ...want.underlayLinks])].map(rpFilter);
  const overlay = want.overlay === null ? [] : [rpFilter(OVERLAY)];
  return {
    overlay: want.overlay,
    nexthops: new Map(
      gateways.flatMap((gateway) => nexthopIds(gateway.index).map((id) => [id, wayTo(gateway)] as const)),
    ),
    groups: new Map(carried ? [[GROUP, groupOf({ ways }, have.groups.get(GROUP) ?? [])] as const] : []),
    twins: "together",
    standing: standingRoutes(want),
    routes: [
      ...(carried ? [want.supernet, ...want.direct].map((dst) => everywhere(dst, want)) : []),
      // A gateway's own address: probes go to that gateway, whatever the group prefers.
      ...gateways.map((gateway) => ownRoute(gateway, node.local)),
      serviceRoute(want),
    ],
    rules: [serviceRule(want.servicePrefix)],
    sysctls: forwarding([...links.filter((name) => have.sysctls.has(name)), ...overlay]),
  };
}

function wayTo({ link, local, global }: NodeGateway): string {
  return link === null ? byOverlay(global) : byRouter(local, link);
}

function ownRoute({ link, local, global }: NodeGateway, src: Ip): Route {
  const leads = link === null ? { dev: OVERLAY } : { via: [local] };
  return { type: "unicast", dst: hostOf(global), ...leads, src, metric: 0, table: MAIN_TABLE };
}

/** Better than the standing `unreachable` of the same prefix; `src` as on a gateway: processes are translated by it. */
function everywhere(dst: Cidr, { node }: NodePlan): Route {
  return { type: "unicast", dst, nhid: GROUP, src: node.local, metric: 0, table: MAIN_TABLE };
}
