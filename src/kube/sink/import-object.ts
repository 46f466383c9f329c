import type { ImportedService } from "#services";
import type { Ip } from "#values";
import { RESOURCES } from "../api/resource.ts";
import { CLUSTERSET_IP, DERIVED, MANAGED_BY, MANAGER } from "../well-known.ts";
import { derivedName } from "./derived-name.ts";
import type { KubeObject } from "./kube-object.ts";

/** importObject is the ServiceImport of a service (mcs-api v1beta1). Labels and annotations are what the exporters say
 *  by exportedLabels and exportedAnnotations; what we know an import by is ours, and what this cluster's users ask of it
 *  theirs. `hasService` says whether its address is a derived Service's. */
export function importObject(imported: ImportedService, ips: readonly Ip[], hasService: boolean): KubeObject {
  const { namespace, name, type, labels } = imported;
  const derived = hasService ? { [DERIVED]: derivedName(namespace, name) } : {};
  const { [CLUSTERSET_IP]: _, ...annotations } = imported.annotations;
  return {
    ...head(RESOURCES.serviceImports),
    metadata: {
      namespace,
      name,
      labels: { ...labels, [MANAGED_BY.object]: MANAGER },
      annotations: { ...annotations, ...derived },
    },
    spec: {
      type,
      ips: [...ips],
      ipFamilies: [...imported.ipFamilies],
      ports: portsOf(imported),
      ...affinityOf(imported),
      internalTrafficPolicy: imported.internalTrafficPolicy,
      ...(imported.trafficDistribution === null ? {} : { trafficDistribution: imported.trafficDistribution }),
    },
  };
}

/** serviceObject is the selector-less Service whose cluster IP is the import's. Every kube-proxy (or what replaces it)
 *  balances over the slices that carry its name. `clusterIp` asks for the address that the import had before. The
 *  traffic policies stay on the import: with `Local` no endpoint of another cluster would ever be on the client's node. */
export function serviceObject(imported: ImportedService, clusterIp: Ip | null): KubeObject {
  const { namespace, name } = imported;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace, name: derivedName(namespace, name), labels: { [MANAGED_BY.object]: MANAGER } },
    spec: {
      type: "ClusterIP",
      ...(clusterIp === null ? {} : { clusterIP: clusterIp }),
      ports: portsOf(imported),
      ...affinityOf(imported),
    },
  };
}

function portsOf({ ports }: ImportedService): readonly Readonly<Record<string, unknown>>[] {
  return ports.map(({ name, protocol, port, appProtocol }) => ({
    ...(name === "" ? {} : { name }),
    protocol,
    port,
    ...(appProtocol == null ? {} : { appProtocol }),
  }));
}

function affinityOf({ sessionAffinity, sessionAffinitySeconds }: ImportedService) {
  if (sessionAffinitySeconds === null) return { sessionAffinity };
  return { sessionAffinity, sessionAffinityConfig: { clientIP: { timeoutSeconds: sessionAffinitySeconds } } };
}

function head({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }) {
  return { apiVersion, kind };
}
