import { poolsOf, supernetFault } from "#ipam";
import { type Cidr, overlaps } from "#values";
import type { Bounds, Welcome } from "#wire";
import type { GatewayOptions } from "./options.ts";

/** welcomeFault says what of a welcome cannot be true, or must not be done, whoever says it: a welcome is not signed,
 *  and routes are made for the supernets in it. What was said at the first join holds from then on. */
export function welcomeFault(
  { supernets }: Pick<Welcome, "supernets">,
  known: readonly Cidr[],
  { podCidrs, serviceCidrs }: Pick<GatewayOptions, "podCidrs" | "serviceCidrs">,
): string | undefined {
  const wrong = supernets.map(supernetFault).find((fault) => fault !== undefined);
  if (wrong !== undefined) return wrong;
  const [said, before] = [supernets.toSorted().join(", "), known.toSorted().join(", ")];
  if (known.length > 0 && said !== before) return `the broker's supernet is ${said} now; this member joined ${before}`;
  const local = [...podCidrs, ...serviceCidrs].find((cidr) => supernets.some((supernet) => overlaps(supernet, cidr)));
  return local === undefined ? undefined : `the broker's supernet ${said} overlaps ${local}, which is ours`;
}

/** boundsOf is where allocations may lie; null before a supernet is known. */
export function boundsOf(supernets: readonly Cidr[]): Bounds | null {
  return supernets.length === 0 ? null : { supernets, services: supernets.map((cidr) => poolsOf(cidr).services) };
}
