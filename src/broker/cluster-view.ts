import type { ClusterView, LatencyView } from "#admin";
import { fingerprintOf } from "#identity";
import { millis } from "#values";
import type { Holding, Member } from "#wire";
import type { Book } from "./book.ts";
import type { Hub } from "./hub.ts";

/** clusterView is one member as its operators see it. */
export function clusterView(book: Book, hub: Hub, member: Member): ClusterView {
  const { uid, generation, key, joinedAt } = member.body;
  const holding = book.catalogue.ledger.holding(member.cluster);
  return {
    id: member.cluster,
    uid,
    generation,
    key,
    fingerprint: fingerprintOf(key),
    state: member.gone ?? "live",
    joinedAt: millis(joinedAt),
    gateways: (holding?.gateways ?? []).map((grant) => gatewayView(hub, grant)),
    prefixes: [
      ...(holding?.pods ?? []).map(({ prefix, local }) => ({ kind: "pods" as const, prefix, local })),
      ...(holding?.nodes ?? []).map((prefix) => ({ kind: "nodes" as const, prefix, local: null })),
    ],
    exports: member.exports.size,
  };
}

/** A gateway that was granted an index, whether or not it is connected. */
function gatewayView(hub: Hub, { cluster, name, index }: Holding["gateways"][number]): ClusterView["gateways"][number] {
  const reader = hub.find(cluster, name);
  return {
    name,
    index,
    address: reader?.link.remote ?? null,
    connected: reader !== undefined,
    lastSeen: reader?.lastSeen ?? null,
    revision: reader?.held ?? null,
    version: reader?.link.version ?? null,
  };
}

/** latencyViews is what the connected gateways last reported of each other. */
export function latencyViews(hub: Hub): readonly LatencyView[] {
  return hub.readers().flatMap(({ cluster: from, gateway: by, latency, lastSeen }): LatencyView[] =>
    latency.map(({ cluster, gateway, ...rest }) => ({
      from: { cluster: from, gateway: by },
      to: { cluster, gateway },
      ...rest,
      at: lastSeen,
    })),
  );
}
