import { setTimeout as sleep } from "node:timers/promises";
import type { KubeCluster } from "#lab";
import type { Fields, Room } from "./mcs-room.ts";

/** One of the demands that the upstream suite (sigs.k8s.io/mcs-api/conformance) makes of two clusters with pods, written
 *  anew from KEP-1645: the first cluster exports, both are looked at. */
export interface Spec {
  readonly name: string;
  /** Whether pods ask: objects alone need none. */
  readonly asks?: boolean;
  readonly run: (room: Room, one: KubeCluster, other: KubeCluster) => Promise<void>;
}

/** Label of what is imported, and of what a cluster has by itself. */
export const IMPORTED = "multicluster.kubernetes.io/service-name=hello";

/** Creation times have whole seconds, and the oldest export wins. */
const OLDER_MS = 1100;

/** endpointsOf are those of some slices. */
export function endpointsOf(slices: readonly Fields[]): readonly Fields[] {
  return slices.flatMap((slice) => (slice["endpoints"] ?? []) as readonly Fields[]);
}

/** exportBoth has both clusters export under one name, the second later than the first. */
export async function exportBoth(room: Room, first: readonly string[], second: readonly string[]): Promise<void> {
  const [one, other] = room.clusters as readonly [KubeCluster, KubeCluster];
  await room.apply(one, ...first);
  await sleep(OLDER_MS);
  await room.apply(other, ...second);
}
