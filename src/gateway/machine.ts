import { localLinks, type Neighbour, neighboursOf, tunnelMtu, type Underlay, underlayOf } from "#tunnel";
import { type Cidr, err, familyOf, type Ip, ok, parseIp, type Result } from "#values";

/** Machine is what this host says of itself. */
export interface Machine {
  /** The node's address in its cluster's network. */
  readonly nodeLocal: Ip;
  /** MTU inside the tunnels, and of the underlay. */
  readonly mtu: number;
  readonly underlayMtu: number;
  readonly underlayLinks: readonly string[];
  /** Links behind which this node's own pods are. */
  readonly localLinks: readonly string[];
  /** Which of the member's other gateways are next to this one, by their addresses in the cluster's network. */
  readonly neighbours: ReadonlyMap<Ip, Neighbour>;
}

/** MachineAsk is what has to be known before the kernel can be asked. */
export interface MachineAsk {
  /** Addresses of the broker and of peers: the way there is the underlay. */
  readonly towards: readonly Ip[];
  readonly podCidrs: readonly Cidr[];
  /** Where peers send to; null: not told. */
  readonly given: Ip | null;
  /** Addresses of the member's other gateways in the cluster's network. */
  readonly siblings: readonly Ip[];
}

/** An address that nobody has (RFC 5737): the way to it is the default route. Nothing is ever sent there. */
const ANYWHERE = "192.0.2.1" as Ip;

/** readMachine asks the kernel for the way to the broker, to any peer, or by the default route: its source is the
 *  node's address, its link the underlay. `given` is where peers send to; it is the node's address where this host has
 *  it, and not where somebody in between translates it. */
export async function readMachine({ towards, podCidrs, given, siblings }: MachineAsk): Promise<Result<Machine>> {
  const way = await firstWay([...towards, ANYWHERE]);
  if (!way.ok) return way;
  const { link, mtu, source } = way.value;
  const nodeLocal = given !== null && (await isOurs(given)) ? given : source;
  if (nodeLocal === null) return err(`the way by ${link} has no source address: give --endpoint`);
  const [links, neighbours] = await Promise.all([localLinks(podCidrs), neighboursOf(siblings)]);
  if (!links.ok) return links;
  if (!neighbours.ok) return neighbours;
  const outside = new Set([link, ...[...neighbours.value.values()].map((neighbour) => neighbour.link)]);
  return ok({
    nodeLocal,
    mtu: tunnelMtu(mtu, familyOf(nodeLocal)),
    underlayMtu: mtu,
    underlayLinks: [...outside].sort(),
    localLinks: links.value,
    neighbours: neighbours.value,
  });
}

/** The kernel reaches its own addresses by loopback. */
async function isOurs(address: Ip): Promise<boolean> {
  const way = await underlayOf(address);
  return way.ok && way.value.link === "lo";
}

async function firstWay(towards: readonly Ip[]): Promise<Result<Underlay>> {
  let best: Result<Underlay> = err("no address of a broker or peer is known");
  for (const address of towards) {
    const way = await underlayOf(address);
    if (way.ok && way.value.link !== "lo") return way;
    if (!best.ok) best = way;
  }
  return best;
}

/** hostOf is the address in a broker's URL; undefined where it is a name. */
export function hostOf(url: string): Ip | undefined {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const address = parseIp(host);
  return address.ok ? address.value : undefined;
}
