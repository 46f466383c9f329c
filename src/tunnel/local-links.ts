import { type Cidr, covers, ok, parseCidr, type Result } from "#values";
import { indexOf } from "./ours.ts";
import { outside } from "./outside.ts";
import { parseRows, prefixOf, type RouteJson } from "./route.ts";

/** localLinks are the links behind which this node's own pods are: those of routes without a next hop inside the pod
 *  CIDRs (a bridge, or one veth per pod). Sorted. Every CNI says so by its routes; nothing needs to be configured.
 *  Not for CNIs that put remote pods on the same link (AWS VPC CNI, Cilium without the node's own pod CIDR). */
export async function localLinks(podCidrs: readonly Cidr[]): Promise<Result<readonly string[]>> {
  const text = await outside(["ip", "-4", "-j", "route", "show", "table", "main"]);
  return text.ok ? parseLocalLinks(text.value, podCidrs) : text;
}

/** remoteLinks are the links behind which other nodes' pods are, by a next hop: the underlay, or an overlay of the CNI. */
export async function remoteLinks(podCidrs: readonly Cidr[]): Promise<Result<readonly string[]>> {
  const text = await outside(["ip", "-4", "-j", "route", "show", "table", "main"]);
  return text.ok ? parseRemoteLinks(text.value, podCidrs) : text;
}

/** parseRemoteLinks reads the same. */
export function parseRemoteLinks(text: string, podCidrs: readonly Cidr[]): Result<readonly string[]> {
  const rows = parseRows<RouteJson>(text);
  if (!rows.ok) return rows;
  const links = rows.value.flatMap(({ dst = "", dev, gateway, via, nhid }) => {
    const cidr = parseCidr(prefixOf(dst));
    if (dev === undefined || nhid !== undefined || (gateway ?? via) === undefined || !cidr.ok) return [];
    return podCidrs.some((pods) => covers(pods, cidr.value)) ? [dev] : [];
  });
  return ok([...new Set(links)].sort());
}

/** parseLocalLinks reads `ip -4 -j route show table main`. */
export function parseLocalLinks(text: string, podCidrs: readonly Cidr[]): Result<readonly string[]> {
  const rows = parseRows<RouteJson>(text);
  if (!rows.ok) return rows;
  const links = rows.value.flatMap(({ dst = "", dev = "lo", type, gateway, via, nhid, nexthops }) => {
    const leadsOn = (gateway ?? via ?? nhid ?? nexthops ?? type) !== undefined;
    if (leadsOn || dev === "lo" || indexOf(dev) !== undefined) return [];
    const cidr = parseCidr(prefixOf(dst));
    return cidr.ok && podCidrs.some((pods) => covers(pods, cidr.value)) ? [dev] : [];
  });
  return ok([...new Set(links)].sort());
}
