import { type Ip, ok, type Result } from "#values";
import type { LinkJson } from "./links.ts";
import { OVERLAY } from "./ours.ts";
import type { OverlayState } from "./overlay.ts";
import { parseRows } from "./route.ts";

interface VxlanJson extends LinkJson {
  readonly linkinfo?: { readonly info_data?: { readonly local?: string } };
}

interface NeighbourJson {
  readonly dst?: string;
  readonly lladdr?: string;
  readonly state?: readonly string[];
}

interface ForwardJson {
  readonly mac?: string;
  readonly dst?: string;
}

/** parseOverlay reads `ip -d -j addr show`, `ip -4 -j neigh show` and `bridge -j fdb show` of the device; null where the
 *  first shows none. */
export function parseOverlay(link: string, neighbours: string, forwards: string): Result<OverlayState | null> {
  const [links, known, table] = [
    parseRows<VxlanJson>(link),
    parseRows<NeighbourJson>(neighbours),
    parseRows<ForwardJson>(forwards),
  ];
  if (!links.ok) return links;
  if (!known.ok) return known;
  if (!table.ok) return table;
  const found = links.value.find(({ ifname }) => ifname === OVERLAY);
  if (found === undefined) return ok(null);
  const { mtu = 0, flags = [], addr_info = [], linkinfo } = found;
  const inet = addr_info.filter(({ family }) => family === "inet");
  const permanent = known.value.filter(({ state }) => state?.includes("PERMANENT"));
  return ok({
    local: (linkinfo?.info_data?.local ?? "0.0.0.0") as Ip,
    mtu,
    up: flags.includes("UP"),
    addresses: inet.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    neighbours: new Map(permanent.map(({ dst = "", lladdr = "" }) => [dst, lladdr])),
    forwards: new Map(table.value.flatMap(({ mac = "", dst }) => (dst === undefined ? [] : [[mac, dst] as const]))),
  });
}
