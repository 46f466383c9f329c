import type { ZoneEndpoint, ZoneService } from "#dns";
import type { ImportedSlice, LocalEndpoint, LocalImport } from "#kube";
import { endpointHostname } from "#services";
import type { Ip } from "#values";

/** An endpoint of the zone while its addresses are gathered. */
interface Gathered {
  readonly endpoint: ZoneEndpoint;
  readonly addresses: Set<Ip>;
}

/** zoneServiceOf is what an import answers: a ClusterSetIP its own addresses, whatever its slices say; a headless one
 *  the ready endpoints of all clusters (KEP-1645 DNS specification, sections 2.3 and 2.4). */
export function zoneServiceOf(imported: LocalImport, slices: readonly ImportedSlice[]): ZoneService {
  const { namespace, name, type, ports, ips } = imported;
  if (type === "Headless")
    return { namespace, name, type, addresses: [], ports: [], endpoints: headlessEndpoints(slices) };
  return {
    namespace,
    name,
    type,
    addresses: ips,
    ports: ports.map(({ name: port, protocol, port: number }) => ({ name: port, protocol, port: number })),
    endpoints: [],
  };
}

/** headlessEndpoints puts the addresses of one hostname in one cluster together: a dual-stack pod is in two slices. What
 *  a client dials is the endpoint itself, so SRV carries the slice's port, as CoreDNS has it. */
function headlessEndpoints(slices: readonly ImportedSlice[]): readonly ZoneEndpoint[] {
  const byName = new Map<string, Gathered>();
  for (const { cluster, slice } of slices) {
    for (const endpoint of slice.endpoints) {
      const hostname = hostnameOf(endpoint);
      // Two slices may give one hostname different ports: then they stay two endpoints of one name.
      const key = `${hostname}.${cluster} ${JSON.stringify(slice.ports)}`;
      const known = byName.get(key);
      const gathered = known ?? {
        endpoint: { cluster, hostname, addresses: [], ports: slice.ports },
        addresses: new Set(),
      };
      for (const address of endpoint.addresses) gathered.addresses.add(address);
      if (known === undefined) byName.set(key, gathered);
    }
  }
  return [...byName.values()].map(({ endpoint, addresses }) => ({ ...endpoint, addresses: [...addresses] }));
}

function hostnameOf({ hostname, addresses }: LocalEndpoint): string {
  const [first] = addresses;
  return hostname ?? (first === undefined ? "" : endpointHostname(first));
}
