import { cidrFamily, millis, type Result, type Uid } from "#values";
import type { Allocation, Refusal } from "./allocation.ts";
import { Ipam } from "./ipam.ts";
import type { Plan, PlannedCluster } from "./plan.ts";

/** Trial is what would happen if all planned clusters joined in their order. */
export interface Trial {
  readonly granted: readonly Allocation[];
  readonly refused: readonly { readonly cluster: PlannedCluster; readonly refusal: Refusal }[];
}

/** tryOut joins the planned clusters to an allocator of their own. Prefixes by hand come first: who asks for nothing
 *  can go elsewhere. */
export function tryOut({ supernets, clusters }: Plan): Trial {
  const ipam = new Ipam({ supernets, quarantineMs: millis(0) });
  const granted: Allocation[] = [];
  const refused: { cluster: PlannedCluster; refusal: Refusal }[] = [];
  const settle = (cluster: PlannedCluster, result: Result<readonly Allocation[], Refusal>): void => {
    if (!result.ok) {
      refused.push({ cluster, refusal: result.error });
      return;
    }
    ipam.apply(result.value);
    granted.push(...result.value);
  };
  for (const { cluster, local, wanted } of podAsks(clusters)) {
    const ask = { cluster: cluster.id, uid: trialUid(cluster), local };
    settle(cluster, ipam.proposePods(wanted === undefined ? ask : { ...ask, wanted }, START));
  }
  const families = new Set(supernets.map(cidrFamily));
  for (const cluster of clusters) {
    for (const family of new Set(cluster.pods.map(cidrFamily)).intersection(families)) {
      settle(cluster, ipam.proposeNodes({ cluster: cluster.id, uid: trialUid(cluster), family }, START));
    }
  }
  return { granted, refused };
}

/** A trial takes no time. */
const START = millis(0);

/** podAsks pairs each pod CIDR with its prefix by hand, those with one first. */
function podAsks(clusters: readonly PlannedCluster[]) {
  const asks = clusters.flatMap((cluster) =>
    cluster.pods.map((local, i) => ({ cluster, local, wanted: cluster.globals[i] })),
  );
  return asks.toSorted((a, b) => Number(a.wanted === undefined) - Number(b.wanted === undefined));
}

/** trialUid stands for the uid that a cluster does not have yet; ids differ within a plan. */
function trialUid({ id }: PlannedCluster): Uid {
  return `trial:${id}` as Uid;
}
