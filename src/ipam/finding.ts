import { type Cidr, type CidrParts, type ClusterId, cidrParts } from "#values";
import type { Plan } from "./plan.ts";

/** Verdict of a rule: `warn` works and may surprise, `fail` cannot work. */
export type Verdict = "pass" | "warn" | "fail";

/** Finding is what one rule says about one subject of a plan. */
export interface Finding {
  readonly rule: string;
  readonly verdict: Verdict;
  /** What it is about: clusters, networks, or `the plan`. */
  readonly subject: string;
  readonly why: string;
  /** What to write instead; null if there is nothing to do. */
  readonly remedy: string | null;
}

/** Rule looks at a whole plan and says at least one thing. */
export type Rule = (plan: Plan) => readonly Finding[];

/** finding writes one down. */
export function finding(
  rule: string,
  verdict: Verdict,
  subject: string,
  why: string,
  remedy: string | null = null,
): Finding {
  return { rule, verdict, subject, why, remedy };
}

/** Use is one network of a plan, who uses it and for what. */
export interface Use {
  readonly id: ClusterId;
  readonly what: "pod CIDR" | "service CIDR" | "node CIDR" | "global CIDR";
  readonly cidr: Cidr;
}

/** usesOf lists the networks of a plan, or those of one sort. */
export function usesOf({ clusters }: Plan, ...only: readonly Use["what"][]): readonly Use[] {
  const all = clusters.flatMap(({ id, pods, services, nodes, globals }) => [
    ...pods.map((cidr): Use => ({ id, what: "pod CIDR", cidr })),
    ...services.map((cidr): Use => ({ id, what: "service CIDR", cidr })),
    ...nodes.map((cidr): Use => ({ id, what: "node CIDR", cidr })),
    ...globals.map((cidr): Use => ({ id, what: "global CIDR", cidr })),
  ]);
  return only.length === 0 ? all : all.filter((use) => only.includes(use.what));
}

/** clashes groups the networks that overlap, largest first in each group: of networks, one always covers the other, so
 *  a group is the largest and all inside it. O(n log n). */
export function clashes(uses: readonly Use[]): readonly (readonly Use[])[] {
  const sorted = uses.map((use) => ({ use, parts: cidrParts(use.cidr) })).sort((a, b) => before(a.parts, b.parts));
  const groups: { outer: CidrParts; members: Use[] }[] = [];
  for (const { use, parts } of sorted) {
    const last = groups.at(-1);
    const inside = last?.outer.family === parts.family && parts.base < last.outer.base + last.outer.size;
    if (last !== undefined && inside) last.members.push(use);
    else groups.push({ outer: parts, members: [use] });
  }
  return groups.map((group) => group.members).filter((members) => members.length > 1);
}

/** named lists clusters and networks for a subject: `a 10.0.0.0/16, b 10.0.0.0/16`. Long lists are cut. */
export function named(uses: readonly Use[]): string {
  const some = uses.slice(0, 8).map((use) => `${use.id} ${use.cidr}`);
  return some.join(", ") + (uses.length > 8 ? ` and ${uses.length - 8} more` : "");
}

/** before sorts by address, and of two networks with the same first address the larger comes first. */
function before(a: CidrParts, b: CidrParts): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.base === b.base ? a.length - b.length : a.base < b.base ? -1 : 1;
}
