import { BITS, type Cidr, cidrFamily, cidrParts, type Family } from "#values";
import { clashes, type Finding, finding, named, usesOf } from "./finding.ts";
import type { Plan } from "./plan.ts";
import { Space } from "./space.ts";
import { type Trial, tryOut } from "./trial.ts";

/** principles are the four rules of address planning: pod CIDRs disjoint, service CIDRs free to overlap, room to grow,
 *  easy to recognise. */
export function principles(plan: Plan): readonly Finding[] {
  const trial = tryOut(plan);
  return [...podsDisjoint(plan), ...servicesMayOverlap(plan), ...roomToGrow(plan, trial), ...recognisable(plan, trial)];
}

/** 1. A flat network needs disjoint pod CIDRs; GlobalNet does not. */
function podsDisjoint(plan: Plan): readonly Finding[] {
  const rule = "pod-cidrs-disjoint";
  const between = clashes(usesOf(plan, "pod CIDR")).filter((group) => new Set(group.map((use) => use.id)).size > 1);
  if (between.length === 0) {
    return [finding(rule, "pass", "all pod CIDRs", "disjoint: clusters can be joined directly or with GlobalNet")];
  }
  const why = "these pod CIDRs overlap: pods can only be reached by global address, so GlobalNet is needed";
  const remedy = "leave --globalnet on, its default, in each of them, or give them pod CIDRs of their own";
  return between.map((group) => finding(rule, "warn", named(group), why, remedy));
}

/** 2. ClusterIPs never leave their cluster, so the same service CIDR may be used everywhere. */
function servicesMayOverlap(plan: Plan): readonly Finding[] {
  const rule = "service-cidrs-may-overlap";
  const groups = clashes(usesOf(plan, "service CIDR"));
  if (groups.length === 0) return [finding(rule, "pass", "all service CIDRs", "disjoint, which is not even needed")];
  const why =
    "these service CIDRs overlap, which does no harm: a ClusterIP means nothing outside its cluster, and an exported " +
    "Service is reached by name, at its global service address or, if headless, at its pods' global addresses";
  return groups.map((group) => finding(rule, "pass", named(group), why));
}

/** Used part of the pods pool from which on a plan is called tight. */
const TIGHT = 0.8;
/** A pod CIDR that divides into fewer node shares than this (/24 or /64 each, the defaults of kube-controller-manager)
 *  is small. */
const FEW_NODES_BITS = 3;
const NODE_SHARE: Readonly<Record<Family, number>> = { 4: 24, 6: 64 };

/** 3. The supernet must have room for all, and for those who come later; a pod CIDR must have room for nodes. */
function roomToGrow(plan: Plan, trial: Trial): readonly Finding[] {
  const rule = "room-to-grow";
  const refused = trial.refused
    .filter(({ refusal }) => refusal.code === "pool-exhausted" || refusal.code === "unknown")
    .map(({ cluster, refusal }) =>
      finding(rule, "fail", cluster.id, refusal.message, "plan a larger supernet, or one of that family too"),
    );
  const small = usesOf(plan, "pod CIDR")
    .filter(({ cidr }) => cidrParts(cidr).length > NODE_SHARE[cidrFamily(cidr)] - FEW_NODES_BITS)
    .map((use) => {
      const why = `at a /${NODE_SHARE[cidrFamily(use.cidr)]} for each node there is room for fewer than 8 nodes`;
      return finding(rule, "warn", named([use]), why, "plan a larger pod CIDR; it cannot grow later");
    });
  return [...refused, ...small, ...plan.supernets.map((supernet) => capacity(new Space(supernet), trial))];
}

/** capacity says how full the pods pool of a supernet would be, counted in prefixes as large as the plan's largest. */
function capacity(space: Space, trial: Trial): Finding {
  const mine = trial.granted.filter((a) => a.kind === "pods" && cidrFamily(a.prefix) === space.family);
  const lengths = mine.map((a) => cidrParts(a.prefix).length);
  const length = lengths.length > 0 ? Math.min(...lengths) : cidrParts(space.slot(1)).length;
  const taken = addresses(mine.map((a) => a.prefix));
  const size = addresses(space.pools.pods);
  const used = Number((taken * 1000n) / size) / 1000;
  const why =
    `${mine.length} pod CIDRs take ${(used * 100).toFixed(1)} % of the pods pool, which has room for ` +
    `${size >> BigInt(BITS[space.family] - length)} prefixes of /${length}`;
  if (used <= TIGHT) return finding("room-to-grow", "pass", space.supernet, why);
  return finding(
    "room-to-grow",
    "warn",
    space.supernet,
    why,
    "plan a larger supernet: it is fixed from the first start",
  );
}

/** addresses adds up networks that are apart. */
function addresses(cidrs: readonly Cidr[]): bigint {
  return cidrs.reduce((sum, cidr) => sum + cidrParts(cidr).size, 0n);
}

/** 4. One slot of the supernet (242.<n>) should mean one cluster to who reads a log. */
function recognisable(plan: Plan, trial: Trial): readonly Finding[] {
  const rule = "easy-to-recognise";
  const faults = plan.supernets.flatMap((supernet) => sharedSlots(new Space(supernet), trial));
  if (faults.length === 0) return [finding(rule, "pass", "all global prefixes", numbersOf(plan, trial))];
  const remedy = "give each a prefix in a slot of its own, or none by hand";
  return faults.map(({ slot, ids }) => {
    const why = `${ids} would share ${slot}: an address there does not show whose it is`;
    return finding(rule, "warn", ids, why, remedy);
  });
}

/** sharedSlots are the slots in which pods of several clusters would lie. */
function sharedSlots(space: Space, { granted }: Trial): readonly { readonly slot: Cidr; readonly ids: string }[] {
  const pods = granted.filter((a) => a.kind === "pods" && cidrFamily(a.prefix) === space.family);
  return [...Map.groupBy(pods, (a) => space.slotOf(a.prefix))]
    .map(([n, there]) => ({ slot: space.slot(n), ids: new Set(there.map((a) => a.cluster)) }))
    .filter(({ ids }) => ids.size > 1)
    .map(({ slot, ids }) => ({ slot, ids: [...ids].join(", ") }));
}

/** numbersOf shows who would get which prefix. */
function numbersOf({ clusters }: Plan, { granted }: Trial): string {
  const shown = clusters.slice(0, 8).map(({ id }) => {
    const own = granted.filter((a) => a.cluster === id && a.kind === "pods").map((a) => a.prefix);
    return `${id} ${own.length === 0 ? "none" : own.join(" ")}`;
  });
  return `a prefix shows its cluster: ${shown.join(", ")}${clusters.length > 8 ? ", …" : ""}`;
}
