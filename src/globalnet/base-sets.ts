import type { GlobalnetPlan, PlanPort } from "./globalnet-plan.ts";
import { PROTOCOL_NUMBER } from "./service-entry.ts";

/** The sets of the base table: what changes while a node runs, without a rule being touched. */
export type SetName = "localif" | "hostports" | "daemonports" | "hairpin" | "siblings";
/** SetContents is the elements of each set as nft reads them, sorted. */
export type SetContents = Readonly<Record<SetName, readonly string[]>>;

/** `typeof`, since nft 1.0.6 does not know `type ifname` for what `fib` yields. */
export const SET_TYPES: Readonly<Record<SetName, string>> = {
  localif: "typeof fib daddr oifname",
  hostports: "type inet_proto . inet_service",
  daemonports: "type inet_proto . inet_service",
  hairpin: "type ipv4_addr . ipv4_addr",
  siblings: "type ether_addr",
};
export const SET_NAMES = Object.keys(SET_TYPES) as readonly SetName[];

/** A link name may hold almost anything; one that would need quoting rules is left out: pods behind it count as
 *  another node's. */
const LINK = /^[\w.@:+-]{1,15}$/;
const MAC = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

/** setContents lists what each set of a plan holds. */
export function setContents(plan: GlobalnetPlan): SetContents {
  return {
    localif: sorted(plan.localLinks.filter((name) => LINK.test(name)).map((name) => `"${name}"`)),
    hostports: sorted(plan.hostPorts.map(portText)),
    daemonports: sorted(plan.daemonPorts.map(portText)),
    hairpin: sorted(plan.hairpin.map((ip) => `${ip} . ${ip}`)),
    siblings: sorted(plan.siblings.map((mac) => mac.toLowerCase()).filter((mac) => MAC.test(mac))),
  };
}

function portText({ protocol, port }: PlanPort): string {
  return `${PROTOCOL_NUMBER[protocol]} . ${port}`;
}

function sorted(elements: readonly string[]): readonly string[] {
  return [...new Set(elements)].sort();
}
