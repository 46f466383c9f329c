import { type Cidr, cidrParts, ipv4From } from "#values";
import { type GlobalnetPlan, planFault } from "./globalnet-plan.ts";

/** Chain is a base chain: its hook, and its rules in order. */
export interface Chain {
  readonly name: string;
  readonly type: "filter" | "nat";
  readonly hook: "prerouting" | "output" | "forward" | "postrouting";
  readonly priority: number;
  readonly rules: readonly string[];
}

/** Packets that were dropped, refused or passed on untracked, and those that a tunnel carried for pods, by named counter. */
export const COUNTERS = [
  "guard",
  "nodeguard",
  "no-loop",
  "swap-out",
  "no-entry",
  "out-missing",
  "transit-in",
  "transit-out",
  "carried-in",
  "carried-out",
] as const;
export type CounterName = (typeof COUNTERS)[number];

/** Interfaces of tunnels, by name: a tunnel that is not there yet is guarded from its first packet on. */
const TUNNEL = '"mrd*"';

/** baseChains is the translation of one node in the order in which a packet meets it. Numbers are netfilter priorities:
 *  conntrack is -200, raw -300, destination NAT -100, source NAT 100. Throws for a plan that planFault objects to. */
export function baseChains(plan: GlobalnetPlan): readonly Chain[] {
  const fault = planFault(plan);
  if (fault !== undefined) throw new RangeError(fault);
  return [guard(plan), swapIn(plan), transit(plan), nodeguard(plan), hostports(plan), noEntry(plan)].concat([
    outMissing(plan),
    mss(plan),
    noLoop(plan),
    source(plan),
    swapOut(plan),
  ]);
}

/** From a tunnel only the own pods and nodes can be reached, and only by addresses of other members. The source is
 *  WireGuard's to check (allowed-ips); that it is a global, not an own and not a service address is checked again. */
function guard(plan: GlobalnetPlan): Chain {
  const own = anyOf([...plan.pods.map((p) => p.global), plan.nodePrefix]);
  const forged = anyOf([plan.servicePrefix, ...plan.pods.map((p) => p.global), plan.nodePrefix]);
  return chain("guard", "filter", "prerouting", -360, [
    `iifname != ${TUNNEL} accept`,
    ...direct(plan, (peers, locals) => [`ip saddr ${peers} ip daddr ${anyOf([...locals, plan.nodePrefix])} accept`]),
    `ip saddr ${plan.supernet} ip saddr != ${forged} ip daddr ${own} accept`,
    `counter name "guard" drop`,
  ]);
}

/** The destination becomes the pod's own address before conntrack sees the packet. What is counted here and at the way
 *  out is what this gateway carries for pods, its probes not among it. */
function swapIn(plan: GlobalnetPlan): Chain {
  const rules = plan.pods.map(
    (p) => `iifname ${TUNNEL} ip daddr ${p.global} counter name "carried-in" ip daddr set ${swapped("daddr", p.local)}`,
  );
  const untouched = direct(plan, (peers, locals) => [
    `iifname ${TUNNEL} ip saddr ${peers} ip daddr ${anyOf(locals)} counter name "carried-in"`,
  ]);
  return chain("swap-in", "filter", "prerouting", -350, [...untouched, ...rules]);
}

/** What is passed on for other nodes is not tracked: the other direction may take another gateway, and half a handshake
 *  would be INVALID, which kube-proxy drops. */
function transit(plan: GlobalnetPlan): Chain {
  return chain("transit", "filter", "prerouting", -300, [
    `iifname ${TUNNEL} fib daddr type local accept`,
    `iifname ${TUNNEL} fib daddr oifname != @localif counter name "transit-in" notrack accept`,
    `iifname != ${TUNNEL} fib saddr oifname != @localif ip daddr ${clusterset(plan)} fib daddr type != local counter name "transit-out" notrack`,
  ]);
}

/** A global pod address may swap to an address of the node (a bridge inside the pod CIDR): only the node that owns the
 *  address can tell, after conntrack. Replies, pings and opened ports are let in; nothing else of the supernet is. */
function nodeguard(plan: GlobalnetPlan): Chain {
  const { node } = plan;
  return chain("nodeguard", "filter", "prerouting", -190, [
    `iifname "lo" accept`,
    "fib daddr type unicast accept",
    `ip saddr != ${clusterset(plan)} ip daddr != ${node.global} accept`,
    "ct state established,related accept",
    `ip daddr ${node.global} icmp type echo-request accept`,
    `ip daddr ${node.global} meta l4proto . th dport @hostports accept`,
    `ip daddr ${node.global} meta l4proto . th dport @daemonports accept`,
    `counter name "nodeguard" drop`,
  ]);
}

/** Exported host ports of this node: the process listens on the address that its cluster knows. */
function hostports({ node }: GlobalnetPlan): Chain {
  return chain("dnat-in", "nat", "prerouting", -110, [
    `ip daddr ${node.global} meta l4proto . th dport @hostports dnat to ${node.local}`,
  ]);
}

/** A service address that destination NAT left as it was has no entry. It is refused here, before a route decides: the
 *  kernel limits the ICMP errors of unreachable routes, and a default route would carry it away. Linux 5.9 or newer. */
function noEntry({ servicePrefix }: GlobalnetPlan): Chain {
  return chain("no-entry", "filter", "prerouting", -90, [
    `ip daddr ${servicePrefix} meta l4proto 6 counter name "no-entry" reject with tcp reset`,
    `ip daddr ${servicePrefix} counter name "no-entry" reject`,
  ]);
}

/** The same for processes of the node, after the NAT of the output hook. TCP hears a reset; for a datagram the system
 *  call fails (EPERM), since no ICMP error can be routed from an address that nobody has. */
function outMissing({ servicePrefix }: GlobalnetPlan): Chain {
  return chain("out-missing", "filter", "output", 0, [
    `ip daddr ${servicePrefix} meta l4proto 6 counter name "out-missing" reject with tcp reset`,
    `ip daddr ${servicePrefix} counter name "out-missing" reject`,
  ]);
}

/** Path MTU discovery does not survive the translation of quoted headers, so segments are sized at the handshake. */
function mss(plan: GlobalnetPlan): Chain {
  const clamp = "tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu";
  const ends = ["saddr", "daddr"].map((end) => `ip ${end} ${clusterset(plan)} ${clamp}`);
  return chain("mss", "filter", "forward", -150, ends);
}

/** A gateway without a tunnel may hand on to a sibling once: what comes from a sibling does not go to one again. */
function noLoop(plan: GlobalnetPlan): Chain {
  const elsewhere = `iifname != ${TUNNEL} oifname != ${TUNNEL} ip daddr ${clusterset(plan)} ip daddr != ${plan.nodePrefix}`;
  return chain("no-loop", "filter", "forward", 0, [
    `${elsewhere} ether saddr @siblings counter name "no-loop" reject with icmp net-unreachable`,
  ]);
}

/** One step before everybody's masquerade (100): a connection that has a source NAT, be it the identity, gets no other.
 *  Masquerades of ours are for connections whose *first* destination was a service address, else kube-proxy's
 *  hairpins would be ours too. */
function source(plan: GlobalnetPlan): Chain {
  const { servicePrefix, node } = plan;
  const others = clusterset(plan);
  const locals = plan.pods.map((p) => p.local);
  const identity = locals.map((local) => `${local} : ${local}`).join(", ");
  return chain("src", "nat", "postrouting", 99, [
    `ct original ip daddr ${servicePrefix} ip saddr . ip daddr @hairpin masquerade`,
    `ct original ip daddr ${servicePrefix} ip daddr != ${others} fib saddr type local masquerade`,
    ...(locals.length === 0
      ? []
      : [
          `ip saddr ${anyOf(locals)} ip daddr ${others} fib saddr type != local snat ip prefix to ip saddr map { ${identity} }`,
        ]),
    `ip daddr ${others} fib saddr type local snat to ${node.global}`,
  ]);
}

/** The source becomes global after conntrack, but for a member that knows our pods by their own addresses; nothing else
 *  leaves through a tunnel. */
function swapOut(plan: GlobalnetPlan): Chain {
  const own = anyOf([...plan.pods.map((p) => p.global), plan.nodePrefix]);
  return chain("swap-out", "filter", "postrouting", 300, [
    ...direct(plan, (peers, locals) => [
      `oifname ${TUNNEL} ip saddr ${anyOf(locals)} ip daddr ${peers} counter name "carried-out" accept`,
    ]),
    ...plan.pods.map(
      (p) =>
        `oifname ${TUNNEL} ip saddr ${p.local} counter name "carried-out" ip saddr set ${swapped("saddr", p.global)}`,
    ),
    `oifname ${TUNNEL} ip saddr != ${own} counter name "swap-out" drop`,
  ]);
}

/** clusterset is what means the same in every member that this one talks to: the supernet, and untranslated pods. */
function clusterset({ supernet, direct: { pods } }: GlobalnetPlan): string {
  return anyOf([supernet, ...pods]);
}

/** direct gives rules for members that are reached untranslated: none where there is none, or where we have no pods. */
function direct(
  { direct: { pods, nodes }, pods: own }: GlobalnetPlan,
  rules: (peers: string, locals: readonly Cidr[]) => readonly string[],
): readonly string[] {
  const locals = own.map((p) => p.local);
  return pods.length === 0 || locals.length === 0 ? [] : rules(anyOf([...pods, ...nodes]), locals);
}

function chain(
  name: string,
  type: Chain["type"],
  hook: Chain["hook"],
  priority: number,
  rules: readonly string[],
): Chain {
  return { name, type, hook, priority, rules };
}

/** swapped is the address with the network `to` and its own host bits; a /32 has none. */
function swapped(field: "saddr" | "daddr", to: Cidr): string {
  const { base, length } = cidrParts(to);
  const address = ipv4From(Number(base));
  if (length === 32) return address;
  return `ip ${field} & ${ipv4From(2 ** (32 - length) - 1)} | ${address}`;
}

/** anyOf is an anonymous set; one network stands for itself. */
function anyOf(prefixes: readonly Cidr[]): string {
  return prefixes.length === 1 ? `${prefixes[0]}` : `{ ${prefixes.join(", ")} }`;
}
