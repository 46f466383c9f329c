import type { Cidr } from "#values";
import { byRouter } from "./nexthops.ts";
import type { NodePlan } from "./node-plan.ts";
import { GROUP_IDS, nexthopIds } from "./ours.ts";
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
  const links = [...new Set(gateways.map(({ link }) => rpFilter(link)))].filter((name) => have.sysctls.has(name));
  return {
    nexthops: new Map(
      gateways.flatMap(({ index, local, link }) => nexthopIds(index).map((id) => [id, byRouter(local, link)] as const)),
    ),
    groups: new Map(carried ? [[GROUP, groupOf({ ways }, have.groups.get(GROUP) ?? [])] as const] : []),
    twins: "together",
    standing: standingRoutes(want),
    routes: [
      ...(carried ? [want.supernet, ...want.direct].map((dst) => everywhere(dst, want)) : []),
      // A gateway's own address: probes go to that gateway, whatever the group prefers.
      ...gateways.map(({ global, local }): Route => {
        return { type: "unicast", dst: hostOf(global), via: [local], src: node.local, metric: 0, table: MAIN_TABLE };
      }),
      serviceRoute(want),
    ],
    rules: [serviceRule(want.servicePrefix)],
    sysctls: forwarding(links),
  };
}

/** Better than the standing `unreachable` of the same prefix; `src` as on a gateway: processes are translated by it. */
function everywhere(dst: Cidr, { node }: NodePlan): Route {
  return { type: "unicast", dst, nhid: GROUP, src: node.local, metric: 0, table: MAIN_TABLE };
}
