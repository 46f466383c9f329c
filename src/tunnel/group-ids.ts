import { createHash } from "node:crypto";
import type { ClusterId } from "#values";
import { GROUP_IDS } from "./ours.ts";

/** groupIds gives each member the id of its nexthop group: a hash of its name, so that every daemon, and every restart,
 *  comes to the same one without remembering it. Of two names with one hash the later in the alphabet takes the next. */
export function groupIds(clusters: readonly ClusterId[]): ReadonlyMap<ClusterId, number> {
  const ids = new Map<ClusterId, number>();
  const taken = new Set<number>();
  for (const cluster of [...new Set(clusters)].sort()) {
    let offset = createHash("sha256").update(cluster).digest().readUInt32BE(0) % GROUP_IDS.count;
    while (taken.has(offset)) offset = (offset + 1) % GROUP_IDS.count;
    taken.add(offset);
    ids.set(cluster, GROUP_IDS.first + offset);
  }
  return ids;
}
