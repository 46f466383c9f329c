import { equalShares, type ServiceEntry, serviceKey } from "#globalnet";
import type { NetworkDocument, TablePort, TableService, TableSlice } from "#kube";
import { contains, type Ip, type NodeName } from "#values";

/** EntryContext is what all services of a node are compiled with. */
export interface EntryContext extends Pick<NetworkDocument, "cluster" | "servicePrefix"> {
  readonly node: NodeName;
}

/** CompiledEntries is what an imported service becomes in a node's service table. */
export interface CompiledEntries {
  /** By serviceKey. */
  readonly entries: ReadonlyMap<string, ServiceEntry>;
  /** This node's own pods among the endpoints: they may be their own clients. */
  readonly hairpin: readonly Ip[];
}

/** compileEntries is pure: what the gateways wrote of a service, to entries. An import whose addresses are not service
 *  addresses has none: kube-proxy serves it, or its clients dial endpoints. */
export function compileEntries({ imported, slices }: TableService, context: EntryContext): CompiledEntries {
  const { cluster, servicePrefix, node } = context;
  const addresses = imported.ips.filter((ip) => contains(servicePrefix, ip));
  const entries = new Map<string, ServiceEntry>();
  for (const address of addresses) {
    for (const { name, protocol, port } of imported.ports) {
      const backends = equalShares(slices.flatMap((slice) => targetsIn(slice, { name, protocol })));
      const entry: ServiceEntry = { address, protocol, port, affinity: imported.affinity, backends };
      entries.set(serviceKey(entry), entry);
    }
  }
  const own = addresses.length === 0 ? [] : slices.filter((slice) => slice.cluster === cluster);
  const here = own.flatMap(({ endpoints }) => endpoints.filter((one) => one.node === null || one.node === node));
  return { entries, hairpin: here.map(({ address }) => address) };
}

/** A slice's ports have the names of the import's. */
function targetsIn({ cluster, ports, endpoints }: TableSlice, wanted: Pick<TablePort, "name" | "protocol">) {
  const port = ports.find(({ name, protocol }) => name === wanted.name && protocol === wanted.protocol)?.port;
  return port === undefined ? [] : endpoints.map(({ address }) => ({ member: cluster, address, port }));
}
