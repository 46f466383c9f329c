import { type Cidr, type Millis, overlaps } from "#values";
import { type Allocation, granted, rested, revived } from "./allocation.ts";

/** Granted is what is known to be granted, from elsewhere than the table of allocations. */
export type Granted = Pick<Allocation, "prefix" | "kind"> &
  Partial<Pick<Allocation, "cluster" | "uid" | "local" | "namespace" | "name" | "askedBy">>;

/** Reconciled is what a table of allocations lacks, and what it has too much. */
export interface Reconciled {
  readonly put: readonly Allocation[];
  readonly forget: readonly Cidr[];
}

/** reconcile makes a table of allocations agree with what was granted meanwhile: what is granted is live and its
 *  owner's; what stands in its way goes; what is live here and granted no more rests from now on, since nobody knows
 *  when it was given back. */
export function reconcile(have: readonly Allocation[], want: readonly Granted[], now: Millis): Reconciled {
  const byPrefix = new Map(have.map((allocation) => [allocation.prefix, allocation]));
  const wanted = new Set(want.map(({ prefix }) => prefix));
  const put: Allocation[] = [];
  for (const grant of want) {
    const held = byPrefix.get(grant.prefix);
    if (held === undefined || !isSameOwner(held, grant)) put.push(granted(grant, now));
    // The address of a name that nobody exports rests, and is known to everybody all the same.
    else if (held.state !== "live" && held.kind !== "service") put.push(revived(held, {}, now));
  }
  const fresh = put.map(({ prefix }) => prefix);
  const forget = have.filter((a) => !wanted.has(a.prefix) && fresh.some((prefix) => overlaps(prefix, a.prefix)));
  const gone = new Set(forget);
  const rest = have.filter((a) => a.state === "live" && !wanted.has(a.prefix) && !gone.has(a));
  return { put: [...put, ...rest.map((a) => rested(a, now))], forget: forget.map(({ prefix }) => prefix) };
}

function isSameOwner(held: Allocation, { kind, uid, namespace, name }: Granted): boolean {
  return (
    held.kind === kind &&
    held.uid === (uid ?? null) &&
    held.namespace === (namespace ?? null) &&
    held.name === (name ?? null)
  );
}
