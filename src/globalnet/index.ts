/** Translation and service table of one node, as two nftables tables that never touch each other:
 *
 *    `meridian`           guard, swap of prefixes, no tracking in transit, identity source NAT; a few rules, no flow known
 *    `meridian-services`  (service address, protocol, port, bucket) to (endpoint, port); one lookup however many there are
 *
 *  read() finds what a machine has, plan() compares it with what is wanted, apply() changes it by transactions of nft.
 *  Nothing is lost when the daemon ends: packets go on. */
export { COUNTERS, type CounterName } from "./base-chains.ts";
export type { SetContents, SetName } from "./base-sets.ts";
export { type Conntrack, type Flow, systemConntrack } from "./conntrack.ts";
export type { Count, Counters } from "./counters.ts";
export { EntryTable, WITHDRAW_MS } from "./entry-table.ts";
export { equalShares, type Target } from "./equal-shares.ts";
export { createGlobalnet, type Globalnet, type GlobalnetPorts } from "./globalnet.ts";
export { type GlobalnetPlan, type PlanPort, planFault } from "./globalnet-plan.ts";
export { type Nft, systemNft } from "./nft.ts";
export { plan, type ServiceStep, type Step } from "./plan.ts";
export { render, type TableShape } from "./render.ts";
export type { Class } from "./service-class.ts";
export { type ServiceBackend, type ServiceEntry, sameEntry, serviceKey } from "./service-entry.ts";
export {
  type BaseState,
  emptyState,
  type GlobalnetState,
  type GlobalnetWant,
  type ServiceState,
  type TableName,
} from "./state.ts";
