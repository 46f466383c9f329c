/** What the tunnels own on a machine. Everything that carries one of these names is ours to change and to remove,
 *  and nothing else is: that is how the next daemon, or `leave`, finds all of it without remembering anything. */

/** PROTOCOL marks our routes, nexthops and rules (rtm_protocol, nh_protocol, FRA_PROTOCOL). */
export const PROTOCOL = 77;
/** MAX_INTERFACES is the number of gateway indices, hence of interfaces and of UDP ports. */
export const MAX_INTERFACES = 8;
/** SERVICE_TABLE lets a process of the node connect to a service address: its route lookup comes before nftables. */
export const SERVICE_TABLE = 7701;
/** PROBE_TABLE ties probes to the tunnel they measure, whatever the nexthop groups prefer. */
export const PROBE_TABLE = 7702;
/** RULE_PREFERENCES is the range of rule priorities that is ours, both ends included. */
export const RULE_PREFERENCES: readonly [number, number] = [7700, 7799];
/** STANDING_METRIC of the unreachable route: worse than any route that somebody would add. */
export const STANDING_METRIC = 4_278_198_272;
/** FALLBACK_METRIC of the routes through sibling gateways, used when a member has no way of our own. */
export const FALLBACK_METRIC = 500;

/** GROUP_IDS and NEXTHOP_IDS are our part of the 32-bit nexthop ids: 0x4d is 77. */
export const GROUP_IDS = { first: 0x4d000000, count: 0xfe0000 } as const;
const NEXTHOP_IDS = 0x4dfe0000;

/** TWINS: a resilient group that shrinks to one member stops recording which buckets are busy, and live flows move at
 *  the member's return. With two ids per tunnel a group never has one member. */
const TWINS = [0, 1] as const;

/** interfaceName of a gateway index: `mrd0` to `mrd7`. */
export function interfaceName(index: number): string {
  if (!(Number.isInteger(index) && index >= 0 && index < MAX_INTERFACES)) {
    throw new RangeError(`index must be 0 to ${MAX_INTERFACES - 1}: current value is ${index}`);
  }
  return `mrd${index}`;
}

/** indexOf is the inverse of interfaceName; undefined for any other interface. */
export function indexOf(name: string): number | undefined {
  return /^mrd[0-7]$/.test(name) ? Number(name.slice(3)) : undefined;
}

/** OVERLAY is the device between gateways and nodes of their own cluster: no name that the guard takes for a tunnel's. */
export const OVERLAY = "meridian-vx";

/** isNameless reports whether `ip` found no link by a device's number (ll_index_to_name() in iproute2): it is gone. */
export function isNameless(device: string): boolean {
  return /^if\d+$/.test(device);
}

/** nexthopIds are the two ids of the tunnels on one interface. */
export function nexthopIds(index: number): readonly number[] {
  return TWINS.map((twin) => NEXTHOP_IDS + 2 * index + twin);
}

/** twinOf tells the two ids of one interface apart: 0 or 1. */
export function twinOf(id: number): number {
  return (id - NEXTHOP_IDS) % TWINS.length;
}
