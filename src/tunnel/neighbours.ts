import { type Cidr, cidrParts, contains, type Ip, ok, parseCidr, type Result } from "#values";
import { outside } from "./outside.ts";
import { parseRows, prefixOf, type RouteJson } from "./route.ts";

/** Neighbour is a machine that a packet can be handed to: one on a link of ours, with no router in between. */
export interface Neighbour {
  readonly link: string;
  /** Its hardware address; null where the kernel has not asked for it yet. */
  readonly mac: string | null;
}

/** NeighbourJson is an entry of the neighbour table as `ip -j neigh` writes it, as far as it matters here. */
interface NeighbourJson {
  readonly dst?: string;
  readonly dev?: string;
  readonly lladdr?: string;
}

/** neighboursOf asks the kernel which of some addresses are next to us. Those behind a router, or here, are left out.
 *  There may be hundreds, so all are looked up in one reading of the tables `main` and `local`: rules of somebody's that
 *  lead elsewhere are not followed. */
export async function neighboursOf(addresses: readonly Ip[]): Promise<Result<ReadonlyMap<Ip, Neighbour>>> {
  if (addresses.length === 0) return ok(new Map());
  const [table, routes] = await Promise.all([
    outside(["ip", "-4", "-j", "neigh", "show"]),
    outside(["ip", "-4", "-j", "route", "show", "table", "all"]),
  ]);
  if (!table.ok) return table;
  return routes.ok ? parseNeighbours(addresses, table.value, routes.value) : routes;
}

/** parseNeighbours reads `ip -4 -j neigh show` and `ip -4 -j route show table all`. */
export function parseNeighbours(
  addresses: readonly Ip[],
  table: string,
  routes: string,
): Result<ReadonlyMap<Ip, Neighbour>> {
  const entries = parseRows<NeighbourJson>(table);
  const rows = parseRows<RouteJson>(routes);
  if (!entries.ok) return entries;
  if (!rows.ok) return rows;
  const macs = new Map(entries.value.map(({ dst, dev, lladdr }) => [`${dst} ${dev}`, lladdr]));
  const ways = rows.value.flatMap(wayOf).sort((a, b) => b.length - a.length);
  const found = new Map<Ip, Neighbour>();
  for (const address of addresses) {
    const link = ways.find(({ dst }) => contains(dst, address))?.link ?? null;
    if (link !== null) found.set(address, { link, mac: macs.get(`${address} ${link}`) ?? null });
  }
  return ok(found);
}

interface WayJson {
  readonly dst: Cidr;
  readonly length: number;
  /** Null where it leads to a router, to nowhere, or stays here. */
  readonly link: string | null;
}

/** wayOf is a route as a lookup meets it; none for a table that is not looked at, and for a network that is none. */
function wayOf({ dst = "", dev, type, table = "main", gateway, via, nhid, nexthops }: RouteJson): readonly WayJson[] {
  const cidr = parseCidr(prefixOf(dst));
  if (!cidr.ok || (table !== "main" && table !== "local")) return [];
  const leadsOn = (gateway ?? via ?? nhid ?? nexthops ?? type) !== undefined || dev === "lo";
  // What is here is here, however it can be reached as well: the table `local` is looked at first.
  const length = cidrParts(cidr.value).length + (table === "local" ? 100 : 0);
  return [{ dst: cidr.value, length, link: leadsOn ? null : (dev ?? null) }];
}
