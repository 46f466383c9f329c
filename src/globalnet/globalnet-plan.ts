import { type Cidr, cidrFamily, cidrParts, type Ip } from "#values";

/** GlobalnetPlan is what one node translates, for one address family. Everything in it is known without a packet:
 *  no flow, no export and no peer is part of it. */
export interface GlobalnetPlan {
  readonly supernet: Cidr;
  /** The part of the supernet that service addresses come from. */
  readonly servicePrefix: Cidr;
  /** Own pod CIDRs and their global prefixes, of the same length. */
  readonly pods: readonly { readonly local: Cidr; readonly global: Cidr }[];
  /** Global addresses of this member's nodes. */
  readonly nodePrefix: Cidr;
  /** Members that are reached untranslated: their pod CIDRs, and their nodes' global addresses. Of other members, as of
   *  our own, neither is part of these. */
  readonly direct: { readonly pods: readonly Cidr[]; readonly nodes: readonly Cidr[] };
  /** This node: the address its cluster knows it by, and its global one. */
  readonly node: { readonly local: Ip; readonly global: Ip };
  /** Tunnel interfaces, `mrd0` to `mrd7`; the rules match every `mrd*`, so a tunnel that comes later is guarded too. */
  readonly tunnels: readonly string[];
  /** Links behind which this node's own pods are: those of routes without a next hop. */
  readonly localLinks: readonly string[];
  /** Exported host ports: open on the node's global address, translated to its local one. */
  readonly hostPorts: readonly PlanPort[];
  /** The daemon's own ports on the node's global address: open, not translated. */
  readonly daemonPorts: readonly PlanPort[];
  /** MAC addresses of the member's other gateways. */
  readonly siblings: readonly string[];
  /** Own pods that are endpoints of a service, and so may be their own clients. */
  readonly hairpin: readonly Ip[];
}

export interface PlanPort {
  readonly protocol: "TCP" | "UDP";
  readonly port: number;
}

/** planFault says what no caller may hand in; undefined when the plan can be rendered. */
export function planFault(plan: GlobalnetPlan): string | undefined {
  const prefixes = [
    plan.supernet,
    plan.servicePrefix,
    plan.nodePrefix,
    ...plan.pods.flatMap((p) => [p.local, p.global]),
    ...plan.direct.pods,
    ...plan.direct.nodes,
  ];
  const foreign = prefixes.find((prefix) => cidrFamily(prefix) !== 4);
  if (foreign !== undefined) return `only IPv4 is translated: ${foreign}`;
  const uneven = plan.pods.find(({ local, global }) => cidrParts(local).length !== cidrParts(global).length);
  if (uneven !== undefined) return `${uneven.local} and ${uneven.global} differ in length`;
  const tunnel = plan.tunnels.find((name) => !/^mrd[0-7]$/.test(name));
  return tunnel === undefined ? undefined : `tunnels are mrd0 to mrd7: ${JSON.stringify(tunnel)}`;
}
