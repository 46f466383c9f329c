import { type Cidr, cidrFamily, cidrParts, covers, overlaps } from "#values";
import { clashes, type Finding, finding, named, type Use, usesOf } from "./finding.ts";
import type { Plan, PlannedCluster } from "./plan.ts";
import { poolsOf } from "./pools.ts";
import { supernetConflicts } from "./supernet-conflicts.ts";

/** supernetClear: an address of the supernet may mean nothing else in any cluster. Join refuses such a cluster too. */
export function supernetClear(plan: Plan): readonly Finding[] {
  const rule = "supernet-clear";
  const uses = usesOf(plan, "pod CIDR", "service CIDR", "node CIDR");
  const found = uses.flatMap((use) =>
    supernetConflicts(plan.supernets, [use]).map(({ supernet }) => {
      const why = `the ${use.what} ${use.cidr} of ${use.id} overlaps the supernet ${supernet}`;
      return finding(rule, "fail", named([use]), why, "plan another supernet: it must be unused in every cluster");
    }),
  );
  if (found.length > 0) return found;
  return [finding(rule, "pass", plan.supernets.join(", "), "no pod, service or node CIDR overlaps the supernet")];
}

/** clusterDisjoint: inside one cluster, pods, services and nodes are routed apart. */
export function clusterDisjoint(plan: Plan): readonly Finding[] {
  const rule = "cluster-cidrs-disjoint";
  const uses = usesOf(plan, "pod CIDR", "service CIDR", "node CIDR");
  const found = plan.clusters.flatMap(({ id }) =>
    clashes(uses.filter((use) => use.id === id)).map((group) => {
      const what = group.map((use) => `${use.what} ${use.cidr}`).join(", ");
      return finding(rule, "fail", id, `these overlap inside ${id}: ${what}`, "give each a network of its own");
    }),
  );
  return found.length > 0
    ? found
    : [finding(rule, "pass", "all clusters", "pods, services and nodes are apart in each")];
}

/** nodesDisjoint: gateways dial each other at node addresses. */
export function nodesDisjoint(plan: Plan): readonly Finding[] {
  const rule = "node-cidrs-disjoint";
  const groups = clashes(usesOf(plan, "node CIDR")).filter((group) => new Set(group.map((use) => use.id)).size > 1);
  if (groups.length === 0) return [finding(rule, "pass", "all node CIDRs", "disjoint: gateways can dial each other")];
  const why = "these node CIDRs overlap: their gateways cannot dial each other at node addresses";
  const remedy = "give the gateways addresses that the others can reach, with --endpoint";
  return groups.map((group) => finding(rule, "warn", named(group), why, remedy));
}

/** globalCidrs: prefixes by hand are apart, in the pods pool, and as long as the pod CIDR they stand for. */
export function globalCidrs(plan: Plan): readonly Finding[] {
  const globals = usesOf(plan, "global CIDR");
  if (globals.length === 0) return [];
  const found = [...apart(globals), ...plan.clusters.flatMap((cluster) => fitting(plan, cluster))];
  if (found.length > 0) return found;
  return [finding("global-cidrs", "pass", named(globals), "disjoint, in the pods pool, as long as their pod CIDRs")];
}

/** apart finds global prefixes that two clusters, or one twice, have by hand. */
function apart(globals: readonly Use[]): readonly Finding[] {
  return clashes(globals).map((group) => {
    const ids = [...new Set(group.map((use) => use.id))].join(" and ");
    return finding(
      "global-cidrs",
      "fail",
      named(group),
      `the global CIDRs of ${ids} overlap`,
      "leave one out, or move it",
    );
  });
}

/** fitting finds the global prefixes of a cluster that could not be granted to anybody. */
function fitting(plan: Plan, { id, pods, globals }: PlannedCluster): readonly Finding[] {
  return globals.flatMap((global, i) => {
    const why = misfit(plan, pods[i], global);
    return why === undefined
      ? []
      : [finding("global-cidrs", "fail", `${id} ${global}`, why, "correct it, or leave it out")];
  });
}

/** misfit says why; the broker would refuse the join for the same reason. */
function misfit({ supernets }: Plan, pod: Cidr | undefined, global: Cidr): string | undefined {
  if (pod === undefined) return `${global} stands for no pod CIDR: there are more global CIDRs than pod CIDRs`;
  if (cidrFamily(pod) !== cidrFamily(global) || cidrParts(pod).length !== cidrParts(global).length) {
    return `${global} must be of the family and length of pod CIDR ${pod}`;
  }
  const supernet = supernets.find((net) => overlaps(net, global));
  if (supernet === undefined) return `${global} is outside the supernet ${supernets.join(", ")}`;
  const pools = poolsOf(supernet);
  if (pools.pods.some((pool) => covers(pool, global))) return undefined;
  return `${global} is outside the pods pool: ${pools.nodes} is for nodes and ${pools.services} for services`;
}
