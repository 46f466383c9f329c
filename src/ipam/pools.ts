import { BITS, type Cidr, cidrFamily, cidrOf, cidrParts, type Family, overlaps } from "#values";

/** Pools are the parts of a supernet. Their places are chosen so that people can read addresses: with 242.0.0.0/8,
 *  `242.0.<n>.0/24` are the n-th member's nodes, `242.<n>.0.0/16` its pods and `242.192.0.0/10` all services. */
export interface Pools {
  /** First 1/256. */
  readonly nodes: Cidr;
  /** Last quarter. */
  readonly services: Cidr;
  /** All between, as the fewest networks that make it up, in order. */
  readonly pods: readonly Cidr[];
}

/** Numbers that a member can have: slot 0 is the nodes pool, those from 192 are services. */
export const FIRST_NUMBER = 1;
export const LAST_NUMBER = 191;

/** poolsOf divides a supernet, which `supernetFault` has nothing against. */
export function poolsOf(supernet: Cidr): Pools {
  const between = [8, 7, 6, 5, 4, 3, 2].map((depth) => partOf(supernet, depth, 1n));
  return {
    nodes: partOf(supernet, 8, 0n),
    services: partOf(supernet, 2, 3n),
    pods: [...between, partOf(supernet, 2, 2n)],
  };
}

/** partOf is one of the 2^depth equal parts of a network, counted from 0. */
export function partOf(cidr: Cidr, depth: number, index: bigint): Cidr {
  const { family, base, length } = cidrParts(cidr);
  return cidrOf(family, base + (index << BigInt(BITS[family] - length - depth)), length + depth);
}

/** Prefix length of the nodes of one member. */
const NODE_BLOCK: Readonly<Record<Family, number>> = { 4: 24, 6: 120 };

/** nodeLength is the length of a member's block of node addresses: /24 or /120; longer in an IPv4 supernet smaller
 *  than a /10, so that the nodes pool always has at least 64 blocks. */
export function nodeLength(supernet: Cidr): number {
  const { family, length } = cidrParts(supernet);
  return Math.max(NODE_BLOCK[family], length + 8 + 6);
}

/** Never a supernet: this network, loopback, link-local, multicast and limited broadcast. */
const UNUSABLE = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32"].concat([
  "::/64",
  "::ffff:0.0.0.0/96",
  "fe80::/10",
  "ff00::/8",
]) as Cidr[];

/** supernetFault says why a network cannot be a supernet, or nothing if it can. */
export function supernetFault(supernet: Cidr): string | undefined {
  const { family, length } = cidrParts(supernet);
  const longest = BITS[family] - 16;
  if (length > longest) return `a supernet of IPv${family} is at most /${longest} long: ${supernet}`;
  const bad = UNUSABLE.find((net) => cidrFamily(net) === family && overlaps(net, supernet));
  return bad === undefined ? undefined : `a supernet cannot contain addresses of ${bad}: ${supernet}`;
}
