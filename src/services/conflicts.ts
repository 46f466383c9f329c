import type { Conflict, ConflictReason, ExportOf } from "./imported-service.ts";
import { mergeFamilies } from "./ip-families.ts";
import { samePorts } from "./merge-ports.ts";

/** A rule says which of the others disagree with the winner about one field, and what the message calls it. */
interface Rule {
  readonly reason: ConflictReason;
  readonly field: string;
  /** What the import uses, for the message: a value in quotes, or words where the value is long. */
  readonly using: (winner: ExportOf) => string;
  readonly agrees: (winner: ExportOf, other: ExportOf) => boolean;
}

const quoted = (value: unknown): string => JSON.stringify(value);

/** In the order of CONFLICT_REASONS. Affinity means nothing to a headless export, so it never disagrees about it, and
 *  its configuration is compared only between exports of the same affinity. */
const RULES: readonly Rule[] = [
  {
    reason: "PortConflict",
    field: "ports",
    using: () => "the union, where they clash the ports",
    agrees: (a, b) => samePorts(a.body.ports, b.body.ports),
  },
  {
    reason: "TypeConflict",
    field: "type",
    using: ({ body }) => quoted(body.type),
    agrees: (a, b) => a.body.type === b.body.type,
  },
  {
    reason: "SessionAffinityConflict",
    field: "sessionAffinity",
    using: ({ body }) => quoted(body.sessionAffinity),
    agrees: (a, b) => anyHeadless(a, b) || a.body.sessionAffinity === b.body.sessionAffinity,
  },
  {
    reason: "SessionAffinityConfigConflict",
    field: "sessionAffinityConfig",
    using: ({ body }) => quoted(`${affinitySeconds(body) ?? 0}s`),
    agrees: (a, b) =>
      anyHeadless(a, b) ||
      a.body.sessionAffinity !== b.body.sessionAffinity ||
      affinitySeconds(a.body) === affinitySeconds(b.body),
  },
  {
    reason: "AnnotationsConflict",
    field: "annotations",
    using: () => "the annotations",
    agrees: (a, b) => sameMap(a.body.annotations, b.body.annotations),
  },
  {
    reason: "LabelsConflict",
    field: "labels",
    using: () => "the labels",
    agrees: (a, b) => sameMap(a.body.labels, b.body.labels),
  },
  {
    reason: "InternalTrafficPolicyConflict",
    field: "internalTrafficPolicy",
    using: ({ body }) => quoted(trafficPolicy(body)),
    agrees: (a, b) => trafficPolicy(a.body) === trafficPolicy(b.body),
  },
  {
    reason: "TrafficDistributionConflict",
    field: "trafficDistribution",
    using: ({ body }) => quoted(body.trafficDistribution ?? ""),
    agrees: (a, b) => (a.body.trafficDistribution ?? null) === (b.body.trafficDistribution ?? null),
  },
];

/** conflictsOf lists what the exports of one service disagree about, each once, with the message's form of KEP-1645:
 *  `Conflicting type. Using "ClusterSetIP" from oldest service export in "cluster-1". 2/5 clusters disagree.` */
export function conflictsOf(oldestFirst: readonly ExportOf[]): readonly Conflict[] {
  const [oldest, ...others] = oldestFirst;
  if (oldest === undefined || others.length === 0) return [];
  const conflicts: Conflict[] = [];
  for (const rule of RULES) {
    const disagree = others.filter((other) => !rule.agrees(oldest, other)).length;
    if (disagree > 0) conflicts.push(conflict(rule, oldest, disagree, oldestFirst.length));
  }
  const { families, split } = mergeFamilies(oldestFirst);
  if (!split) return conflicts;
  const apart = others.filter(({ body: { ipFamilies } }) => {
    return ipFamilies.length > 0 && !families.every((family) => ipFamilies.includes(family));
  }).length;
  const rule = { reason: "IPFamilyConflict", field: "ipFamilies", using: () => quoted(families.join(",")) } as const;
  return [...conflicts, conflict(rule, oldest, apart, oldestFirst.length)];
}

function conflict(
  { reason, field, using }: Pick<Rule, "reason" | "field" | "using">,
  oldest: ExportOf,
  disagree: number,
  all: number,
): Conflict {
  const winner = `Using ${using(oldest)} from oldest service export in "${oldest.cluster}".`;
  return { reason, message: `Conflicting ${field}. ${winner} ${disagree}/${all} clusters disagree.` };
}

/** affinitySeconds is how long a client stays with its endpoint; Kubernetes' default is three hours. */
export function affinitySeconds(body: ExportOf["body"]): number | null {
  return body.sessionAffinity === "ClientIP" ? (body.sessionAffinitySeconds ?? 10_800) : null;
}

/** trafficPolicy is `Cluster` where none is written: Kubernetes' default. */
export function trafficPolicy(body: ExportOf["body"]): string {
  return body.internalTrafficPolicy ?? "Cluster";
}

function anyHeadless(a: ExportOf, b: ExportOf): boolean {
  return a.body.type === "Headless" || b.body.type === "Headless";
}

function sameMap(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key]);
}
