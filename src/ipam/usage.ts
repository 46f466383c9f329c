import { type Cidr, cidrFamily, cidrParts, covers } from "#values";
import type { Allocation } from "./allocation.ts";
import { poolsOf } from "./pools.ts";

/** PoolUsage is how much of a part of a supernet is taken, resting prefixes counted. */
export interface PoolUsage {
  /** `nodes`, `pods` or `services`; with the family behind it where there are two supernets. */
  readonly pool: string;
  /** 0 to 1. */
  readonly usedRatio: number;
}

/** poolUsage goes once through all allocations: shares of a pool add up without counting addresses. */
export function poolUsage(supernets: readonly Cidr[], allocations: readonly Allocation[]): readonly PoolUsage[] {
  return supernets.flatMap((supernet) => {
    const pools = poolsOf(supernet);
    const suffix = supernets.length > 1 ? `-ipv${cidrFamily(supernet)}` : "";
    const parts = { nodes: [pools.nodes], pods: pools.pods, services: [pools.services] };
    return Object.entries(parts).map(([name, networks]) => ({
      pool: `${name}${suffix}`,
      usedRatio: shareOf(networks, allocations),
    }));
  });
}

function shareOf(networks: readonly Cidr[], allocations: readonly Allocation[]): number {
  const whole = networks.reduce((sum, network) => sum + sizeOf(network), 0);
  const taken = allocations.filter(({ prefix }) => networks.some((network) => covers(network, prefix)));
  return taken.reduce((sum, { prefix }) => sum + sizeOf(prefix), 0) / whole;
}

/** As a share of the family's whole space, a power of two. */
function sizeOf(cidr: Cidr): number {
  return 2 ** -cidrParts(cidr).length;
}
