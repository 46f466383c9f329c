import { ok, type Result } from "#values";
import { indexOf } from "./ours.ts";
import { parseRows } from "./route.ts";
import type { LinkState } from "./tunnel-state.ts";

/** LinkJson is a link as `ip -j addr` writes it, as far as it matters here. */
export interface LinkJson {
  readonly ifname?: string;
  readonly flags?: readonly string[];
  readonly mtu?: number;
  readonly addr_info?: readonly { readonly family?: string; readonly local?: string; readonly prefixlen?: number }[];
}

/** parseLinks reads `ip -j addr show` and keeps our interfaces. (With `-4` it leaves out links that have no
 *  IPv4 address.) */
export function parseLinks(text: string): Result<ReadonlyMap<number, LinkState>> {
  const rows = parseRows<LinkJson>(text);
  if (!rows.ok) return rows;
  const links = new Map<number, LinkState>();
  for (const row of rows.value) {
    const index = indexOf(row.ifname ?? "");
    if (index !== undefined) links.set(index, linkOf(row));
  }
  return ok(links);
}

/** linkOf leaves the link-local address out: the kernel gives it and takes it. */
function linkOf({ flags = [], mtu = 0, addr_info = [] }: LinkJson): LinkState {
  return {
    up: flags.includes("UP"),
    mtu,
    addresses: addr_info
      .filter(({ family }) => family === "inet")
      .map(({ local, prefixlen }) => `${local}/${prefixlen}`),
  };
}
