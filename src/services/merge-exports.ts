import { compareAge } from "./age.ts";
import { backendsOf } from "./backends.ts";
import { affinitySeconds, conflictsOf, trafficPolicy } from "./conflicts.ts";
import type { ExportOf, ImportedService } from "./imported-service.ts";
import { mergeFamilies } from "./ip-families.ts";
import { mergePorts } from "./merge-ports.ts";

/** mergeExports makes one service of the clusterset out of all exports of its namespace and name (KEP-1645, "Conflict
 *  Resolution Policy"): ports are united, everything else comes from the oldest export. It uses the catalogue alone and
 *  gives the same whatever the order of the exports, so that all members agree. There is at least one export, at most
 *  one of each member, and all have the same namespace and name. */
export function mergeExports(exports: readonly ExportOf[]): ImportedService {
  const oldestFirst = [...exports].sort(compareAge);
  const oldest = oldestFirst[0]?.body;
  if (oldest === undefined) throw new RangeError("a service without exports cannot be merged");
  const byCluster = [...exports].sort((a, b) => (a.cluster < b.cluster ? -1 : 1));
  const ports = mergePorts(oldestFirst.map(({ body }) => body.ports));
  const headless = oldest.type === "Headless";
  return {
    namespace: oldest.namespace,
    name: oldest.name,
    type: oldest.type,
    ports,
    sessionAffinity: headless ? "None" : oldest.sessionAffinity,
    sessionAffinitySeconds: headless ? null : affinitySeconds(oldest),
    internalTrafficPolicy: trafficPolicy(oldest),
    trafficDistribution: oldest.trafficDistribution ?? null,
    ipFamilies: mergeFamilies(oldestFirst).families,
    labels: oldest.labels,
    annotations: oldest.annotations,
    clusters: byCluster.map(({ cluster }) => cluster),
    backends: byCluster.flatMap((one) => backendsOf(one, ports, "endpoints")),
    draining: byCluster.flatMap((one) => backendsOf(one, ports, "draining")),
    conflicts: conflictsOf(oldestFirst),
  };
}
