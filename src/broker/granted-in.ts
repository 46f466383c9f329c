import type { Granted } from "#ipam";
import type { Cidr, ClusterId, Ip, Namespace, ServiceName } from "#values";
import type { Catalogue, GrantEntry } from "#wire";

/** grantedIn lists what a catalogue's grants say is live, as the table of allocations would have it. Of a service the
 *  member is not told: its address stands against the quota of the first that exports it. */
export function grantedIn(catalogue: Catalogue): readonly Granted[] {
  return [...catalogue.ledger.live()].flatMap((entry) => allocationOf(catalogue, entry) ?? []);
}

function allocationOf(catalogue: Catalogue, entry: GrantEntry): Granted | undefined {
  switch (entry.kind) {
    case "pods": {
      const { prefix, cluster, uid, local } = entry;
      return { kind: "pods", prefix, cluster, uid, local };
    }
    case "nodes": {
      const { prefix, cluster, uid } = entry;
      return { kind: "nodes", prefix, cluster, uid };
    }
    case "reserved":
      return { kind: "reserved", prefix: entry.prefix };
    case "service":
      return serviceOf(catalogue, entry);
    default:
      return undefined; // an index is no address, and what was released is not live
  }
}

function serviceOf(
  catalogue: Catalogue,
  { namespace, name, address }: { namespace: Namespace; name: ServiceName; address: Ip },
): Granted {
  const askedBy: ClusterId | null =
    catalogue.live().find(({ exports }) => exports.has(`${namespace}/${name}`))?.cluster ?? null;
  return {
    kind: "service",
    prefix: `${address}/${address.includes(":") ? 128 : 32}` as Cidr,
    namespace,
    name,
    askedBy,
  };
}
