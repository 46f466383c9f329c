import { type Ip, ok, type Result } from "#values";
import { allOf, outside } from "./outside.ts";
import { parseRows, type RouteJson } from "./route.ts";

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

/** neighboursOf asks the kernel which of some addresses are next to us. Those behind a router, or here, are left out. */
export async function neighboursOf(addresses: readonly Ip[]): Promise<Result<ReadonlyMap<Ip, Neighbour>>> {
  if (addresses.length === 0) return ok(new Map());
  const [table, ...ways] = await Promise.all([
    outside(["ip", "-4", "-j", "neigh", "show"]),
    ...addresses.map((address) => outside(["ip", "-4", "-j", "route", "get", address])),
  ]);
  if (!table.ok) return table;
  // An address that there is no route to is no neighbour, and no fault either.
  return parseNeighbours(
    addresses,
    table.value,
    ways.map((way) => (way.ok ? way.value : "")),
  );
}

/** parseNeighbours reads `ip -4 -j neigh show`, and `ip -4 -j route get` of each address. */
export function parseNeighbours(
  addresses: readonly Ip[],
  table: string,
  ways: readonly string[],
): Result<ReadonlyMap<Ip, Neighbour>> {
  const entries = parseRows<NeighbourJson>(table);
  const rows = allOf<(readonly RouteJson[])[]>(ways.map((way) => parseRows<RouteJson>(way)));
  if (!entries.ok) return entries;
  if (!rows.ok) return rows;
  const found = new Map<Ip, Neighbour>();
  for (const [i, address] of addresses.entries()) {
    const way = rows.value[i]?.[0];
    if (way?.dev === undefined || way.dev === "lo" || (way.gateway ?? way.via) !== undefined) continue;
    const entry = entries.value.find(({ dst, dev }) => dst === address && dev === way.dev);
    found.set(address, { link: way.dev, mac: entry?.lladdr ?? null });
  }
  return ok(found);
}
