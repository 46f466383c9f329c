import type { Clock } from "#life";
import type { BrokerReadings } from "#metrics";
import type { Desk } from "./desk.ts";
import { inviteState } from "./views.ts";

/** brokerReadings is what the desk alone can tell the metrics. */
export function brokerReadings(desk: Desk, version: string, clock: Clock): BrokerReadings {
  return {
    version,
    revision: () => desk.revision(),
    members: () => desk.clusters().map(({ state }) => state),
    sessions: () => desk.clusters().reduce((n, { gateways }) => n + gateways.filter((g) => g.connected).length, 0),
    allocations: () => desk.allocations(),
    invites: () => desk.invites().map((invite) => inviteState(invite, clock.now())),
  };
}
