import type { ServiceEntry } from "./service-entry.ts";
import { assign, quotas, type Weights } from "./share.ts";

/** Class is how a service's endpoints are drawn: `r` at random (`numgen`), `h` by a hash of the source (`jhash`), and
 *  the number of buckets. It is the name of the chain; both kinds share the map of their number of buckets. */
export type Class = `r${number}` | `h${number}`;

/** Up to this many endpoints of equal weight have one bucket each. */
const EQUAL_MAX = 16;
/** A rounding error up to this share of an endpoint's weight lets 128 buckets do; otherwise 1,024. */
const ROUGH = 0.05;

/** Numbers of buckets that there are maps for. */
export const MAP_SIZES: readonly number[] = [...Array.from({ length: EQUAL_MAX }, (_, i) => i + 1), 128, 1024];
/** All classes: one chain each. A single endpoint needs no draw, so there is no `h1`. */
export const CLASSES: readonly Class[] = [...MAP_SIZES.map((n): Class => `r${n}`), "h128", "h1024"];
const MOST = 1024;

/** sizeOf is the number of buckets of a class. */
export function sizeOf(name: Class): number {
  return Number(name.slice(1));
}

/** Placement is an entry's place in the table: its class and the endpoint (`10.1.1.1 . 8080`) of each bucket. */
export interface Placement {
  readonly chain: Class;
  readonly buckets: readonly string[];
}

/** place finds an entry's placement, near to the buckets it had before; undefined when nothing can answer for it. */
export function place(entry: ServiceEntry, before: readonly (string | undefined)[] = []): Placement | undefined {
  const [only, ...others] = entry.backends;
  if (only === undefined) return undefined;
  if (others.length === 0)
    return only.weight > 0 ? { chain: "r1", buckets: [`${only.address} . ${only.port}`] } : undefined;
  const weights = weightsOf(entry);
  if (weights.size === 0) return undefined;
  const chain = classOf(weights, entry.affinity);
  return { chain, buckets: assign(before, weights, sizeOf(chain)) };
}

/** weightsOf sums the weights of equal endpoints. Beyond 1,024 endpoints the heaviest 1,024 stay. */
function weightsOf({ backends }: ServiceEntry): Weights {
  const weights = new Map<string, number>();
  for (const { address, port, weight } of backends) {
    const endpoint = `${address} . ${port}`;
    if (weight > 0) weights.set(endpoint, (weights.get(endpoint) ?? 0) + weight);
  }
  if (weights.size <= MOST) return weights;
  return new Map([...weights].sort(([a, v], [b, w]) => w - v || (a < b ? -1 : 1)).slice(0, MOST));
}

function classOf(weights: Weights, affinity: ServiceEntry["affinity"]): Class {
  if (weights.size === 1) return "r1";
  const [first] = weights.values();
  const equal = [...weights.values()].every((weight) => weight === first);
  if (affinity === "none" && equal && weights.size <= EQUAL_MAX) return `r${weights.size}`;
  const size = weights.size <= 128 && isClose(weights, 128) ? 128 : MOST;
  return `${affinity === "client" ? "h" : "r"}${size}`;
}

/** isClose reports whether so many buckets give every endpoint its share, but for a little. */
function isClose(weights: Weights, buckets: number): boolean {
  const total = [...weights.values()].reduce((sum, weight) => sum + weight, 0);
  const given = quotas(weights, buckets);
  return [...weights].every(([endpoint, weight]) => {
    const exact = (weight / total) * buckets;
    return Math.abs((given.get(endpoint) ?? 0) - exact) <= ROUGH * exact;
  });
}
