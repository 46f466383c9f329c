import type { Clock } from "#life";
import type { BrokerReadings } from "#metrics";
import type { Desk } from "./desk.ts";
import { inviteState } from "./views.ts";

/** ProcessReadings is what no desk knows: how full the pools are, how long the audit log and the loop's delays. */
export type ProcessReadings = Pick<BrokerReadings, "pools" | "auditRows" | "loop">;

/** brokerReadings is what the desk can tell the metrics, and what the process knows beside it. */
export function brokerReadings(
  desk: Desk,
  version: string,
  clock: Clock,
  process: ProcessReadings = {},
): BrokerReadings {
  return {
    ...process,
    version,
    revision: () => desk.revision(),
    members: () => desk.clusters().map(({ state }) => state),
    sessions: () => desk.clusters().reduce((n, { gateways }) => n + gateways.filter((g) => g.connected).length, 0),
    allocations: () => desk.allocations(),
    invites: () => desk.invites().map((invite) => inviteState(invite, clock.now())),
  };
}
