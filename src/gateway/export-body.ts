import type { LocalExport, LocalService, LocalSlice } from "#kube";
import { endpointHostname } from "#services";
import { type Cidr, contains, type Ip, swapPrefix } from "#values";
import type { ExportBody } from "#wire";

/** Translation of one member: which of its addresses mean what in the clusterset. */
export interface Translation {
  readonly pods: readonly { readonly local: Cidr; readonly global: Cidr }[];
  /** Node addresses that have a global one: for endpoints on the host's network. */
  readonly nodes: ReadonlyMap<Ip, Ip>;
}

/** toGlobal is a local address's meaning in the clusterset; undefined where it has none. */
export function toGlobal({ pods, nodes }: Translation, address: Ip): Ip | undefined {
  const pod = pods.find(({ local }) => contains(local, address));
  return pod === undefined ? nodes.get(address) : swapPrefix(address, pod.local, pod.global);
}

/** toLocal is the inverse, for a member's own endpoints. An address that is not translated stays as it is. */
export function toLocal({ pods, nodes }: Translation, address: Ip): Ip {
  const pod = pods.find(({ global }) => contains(global, address));
  if (pod !== undefined) return swapPrefix(address, pod.global, pod.local);
  return [...nodes].find(([, global]) => global === address)?.[0] ?? address;
}

/** exportBodyOf is what a member says of an export: its Service's properties, and its ready endpoints by their global
 *  addresses. Undefined where there is nothing to export: no Service, or one of type ExternalName. */
export function exportBodyOf(local: LocalExport, createdAt: number, translation: Translation): ExportBody | undefined {
  const { service } = local;
  if (service === null || service.type === "ExternalName") return undefined;
  const headless = service.headless;
  return {
    namespace: local.namespace,
    name: local.name,
    type: headless ? "Headless" : "ClusterSetIP",
    createdAt: local.createdAt ?? createdAt,
    ports: service.ports.map(({ name, protocol, port, appProtocol }) => ({
      name,
      protocol,
      port,
      ...(appProtocol === null ? {} : { appProtocol }),
    })),
    ...properties(service),
    labels: { ...local.exportedLabels },
    annotations: { ...local.exportedAnnotations },
    slices: local.slices.flatMap((slice) => sliceOf(headless ? named(slice) : slice, translation)),
  };
}

function properties(
  service: LocalService,
): Pick<
  ExportBody,
  "sessionAffinity" | "sessionAffinitySeconds" | "internalTrafficPolicy" | "trafficDistribution" | "ipFamilies"
> {
  return {
    sessionAffinity: service.sessionAffinity,
    sessionAffinitySeconds: service.sessionAffinitySeconds,
    internalTrafficPolicy: service.internalTrafficPolicy,
    trafficDistribution: service.trafficDistribution,
    ipFamilies: [...service.ipFamilies],
  };
}

/** The name of an endpoint without a hostname is that of its address where it is at home, and the same everywhere. */
function named(slice: LocalSlice): LocalSlice {
  const all = (endpoints: LocalSlice["endpoints"]): LocalSlice["endpoints"] =>
    endpoints.flatMap((endpoint) =>
      endpoint.addresses.map((address) => {
        const hostname = endpoint.hostname ?? endpointHostname(address);
        return { ...endpoint, addresses: [address], hostname };
      }),
    );
  const { endpoints, draining } = slice;
  return { ...slice, endpoints: all(endpoints), ...(draining === undefined ? {} : { draining: all(draining) }) };
}

/** Endpoints of one slice of a record. */
const MOST_ENDPOINTS = 1000;

/** Endpoints outside the pod CIDRs and nodes mean nothing elsewhere and are left out. */
function sliceOf({ ports, endpoints, draining = [] }: LocalSlice, translation: Translation): ExportBody["slices"] {
  const told = toldOf(endpoints, translation);
  const ending = toldOf(draining, translation).slice(0, MOST_ENDPOINTS);
  if (told.length + ending.length === 0) return [];
  const chunks: ExportBody["slices"] = [];
  const targets = ports.map(({ name, protocol, port }) => ({ name, protocol, port }));
  for (let at = 0; at < told.length; at += MOST_ENDPOINTS) {
    chunks.push({ ports: targets, endpoints: told.slice(at, at + MOST_ENDPOINTS) });
  }
  if (ending.length > 0) chunks.push({ ports: targets, endpoints: [], draining: ending });
  return chunks;
}

function toldOf(
  endpoints: LocalSlice["endpoints"],
  translation: Translation,
): ExportBody["slices"][number]["endpoints"] {
  return endpoints.flatMap(({ addresses, hostname, nodeName }) =>
    addresses.flatMap((address) => {
      const global = toGlobal(translation, address);
      if (global === undefined) return [];
      return [
        {
          address: global,
          ...(hostname === null ? {} : { hostname }),
          ...(nodeName === null ? {} : { node: nodeName }),
        },
      ];
    }),
  );
}
