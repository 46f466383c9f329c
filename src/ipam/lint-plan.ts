import { ok, type Result } from "#values";
import type { Finding, Rule } from "./finding.ts";
import { classE, dockerBridge, sharedSpace } from "./pitfalls.ts";
import { parsePlan } from "./plan.ts";
import { clusterDisjoint, globalCidrs, nodesDisjoint, supernetClear } from "./plan-overlaps.ts";
import { principles } from "./principles.ts";

/** In the order in which they are shown. */
const RULES: readonly Rule[] = [
  principles,
  supernetClear,
  globalCidrs,
  clusterDisjoint,
  nodesDisjoint,
  dockerBridge,
  classE,
  sharedSpace,
];

/** lintPlan checks an address plan before any install. The document is what a YAML parser made of
 *
 *      supernet: 242.0.0.0/8                # or a list, one per family
 *      clusters:
 *        - { id: a, podCidr: 10.0.0.0/16, serviceCidr: 172.16.0.0/16, nodeCidr: 192.168.0.0/24, globalCidr: 242.1.0.0/16 }
 *
 *  where each key may also be a list (`podCidrs`). The error lists every fault of its form with its place, as
 *  `clusters[0].podCidr[0]: …`. */
export function lintPlan(document: unknown): Result<readonly Finding[], readonly string[]> {
  const plan = parsePlan(document);
  return plan.ok ? ok(RULES.flatMap((rule) => rule(plan.value))) : plan;
}
