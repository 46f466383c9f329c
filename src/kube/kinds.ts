import { z } from "zod";
import { familyOf } from "#values";
import {
  annotations,
  appProtocol,
  endpointAddress,
  hostname,
  ipFamily,
  labels,
  namespace,
  nodeName,
  portName,
  portNumber,
  protocol,
  serviceName,
  timestamp,
} from "./fields.ts";
import { addressesIn, portOf } from "./import-body.ts";
import type { ExportSpec, LocalEndpoint, LocalNode, LocalService, LocalSlice } from "./manifest-object.ts";
import { GATEWAY_LABEL } from "./well-known.ts";

/** Schemas of the kinds that are read, each with what becomes of it. Kubernetes' defaults are filled in here.
 *  Sources: the API types core/v1 Service, discovery/v1 EndpointSlice, and mcs-api v1beta1; strictness as the API
 *  server's validation, since a manifest that it would refuse is most likely not what its writer meant. */

const metadata = z.object({
  name: serviceName,
  namespace: namespace.nullish(),
  creationTimestamp: timestamp.nullish(),
});

export const namespaceKind = z.object({ metadata: z.object({ name: namespace }) });

/** Node, core/v1. */
export const nodeKind = z.object({
  metadata: z.object({ name: nodeName, labels: z.record(z.string(), z.string()).nullish() }),
  status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).nullish() }).nullish(),
});

const MAX_PORTS = 100;
const targetPort = z.union([portNumber, portName], { error: "must be a port number or a port's name" });
type ServicePort = z.infer<typeof servicePort>;
const servicePort = z.object({
  name: portName.nullish(),
  protocol: protocol.nullish(),
  port: portNumber,
  appProtocol: appProtocol.nullish(),
});
const AFFINITY_RULE = "must be a whole number from 1 to 86400";
const affinityConfig = z.object({
  clientIP: z.object({ timeoutSeconds: seconds().nullish() }).nullish(),
});

/** Service, core/v1. */
export const serviceKind = z.object({
  metadata,
  spec: z
    .object({
      type: z.enum(["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"]).nullish(),
      clusterIP: z.string().nullish(),
      clusterIPs: z.array(z.string()).max(2).nullish(),
      ports: z
        .array(servicePort.extend({ targetPort: targetPort.nullish() }))
        .max(MAX_PORTS)
        .nullish(),
      sessionAffinity: z.enum(["None", "ClientIP"]).nullish(),
      sessionAffinityConfig: affinityConfig.nullish(),
      internalTrafficPolicy: z.enum(["Cluster", "Local"]).nullish(),
      trafficDistribution: z.string().max(64).nullish(),
      ipFamilies: z.array(ipFamily).max(2).nullish(),
    })
    .superRefine(checkPorts),
});

/** EndpointSlice, discovery.k8s.io/v1. */
export const sliceKind = z.object({
  metadata: z.object({
    name: nodeName,
    namespace: namespace.nullish(),
    labels: z.record(z.string(), z.string()).nullish(),
  }),
  addressType: z.enum(["IPv4", "IPv6", "FQDN"]),
  ports: z
    .array(z.object({ name: portName.nullish(), protocol: protocol.nullish(), port: portNumber.nullish() }))
    .max(MAX_PORTS)
    .nullish(),
  endpoints: z.array(z.unknown()).max(1000).nullish(),
});

/** Endpoint of a slice; apart from the slice, since the names of a FQDN slice are not looked at. */
export const sliceEndpoints = z.array(
  z.object({
    addresses: z.array(endpointAddress).min(1).max(100),
    conditions: z
      .object({ ready: z.boolean().nullish(), serving: z.boolean().nullish(), terminating: z.boolean().nullish() })
      .nullish(),
    hostname: hostname.nullish(),
    nodeName: nodeName.nullish(),
  }),
);

/** ServiceExport, multicluster.x-k8s.io v1alpha1 and v1beta1, whose schemas are the same. */
export const exportKind = z.object({
  metadata,
  spec: z.object({ exportedLabels: labels.nullish(), exportedAnnotations: annotations.nullish() }).nullish(),
});

/** ServiceImport, multicluster.x-k8s.io v1alpha1 and v1beta1. Its CRD checks neither addresses nor protocols. */
export const importKind = z.object({
  metadata,
  spec: z.object({
    type: z.enum(["ClusterSetIP", "Headless"]),
    ports: z.array(servicePort).max(MAX_PORTS).nullish(),
    ips: z.array(z.string()).max(2).nullish(),
  }),
  status: z.object({ clusters: z.array(z.object({ cluster: z.string() })).nullish() }).nullish(),
});

/** nodeBody keeps where a node is: its first InternalIP of family 4 that packets can be sent to. */
export function nodeBody({ metadata: { labels }, status }: z.infer<typeof nodeKind>): LocalNode {
  const internal = (status?.addresses ?? []).filter(({ type }) => type === "InternalIP");
  const address = addressesIn(internal.map((one) => one.address)).find((ip) => familyOf(ip) === 4) ?? null;
  return { address, gateway: labels?.[GATEWAY_LABEL] === "true" };
}

/** serviceBody keeps what can be exported of a Service (KEP-1645, "Exporting Services": its labels and annotations can
 *  not). A headless one has `clusterIP: None`; NodePort and LoadBalancer are exported like any ClusterIP. */
export function serviceBody({ spec }: z.infer<typeof serviceKind>): LocalService {
  const type = spec.type ?? "ClusterIP";
  const affinity = spec.sessionAffinity ?? "None";
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800; // Kubernetes' default: three hours
  return {
    type,
    headless: spec.clusterIP === "None" && type === "ClusterIP",
    ports: (spec.ports ?? []).map(portOf),
    sessionAffinity: affinity,
    sessionAffinitySeconds: affinity === "ClientIP" ? seconds : null,
    internalTrafficPolicy: spec.internalTrafficPolicy ?? "Cluster",
    trafficDistribution: spec.trafficDistribution || null,
    ipFamilies: spec.ipFamilies ?? familiesOf(spec.clusterIPs ?? [spec.clusterIP ?? ""]),
  };
}

/** sliceBody keeps the endpoints of a slice that are ready, and apart from them those that end and still serve. A port without a number means all ports, which no Service port can
 *  be mapped to: it is left out. */
export function sliceBody(
  { addressType, ports }: z.infer<typeof sliceKind>,
  endpoints: z.infer<typeof sliceEndpoints>,
): LocalSlice {
  const draining = endpoints.filter(isDraining).map(endpointOf);
  return {
    family: addressType === "IPv6" ? "IPv6" : "IPv4",
    ports: (ports ?? []).flatMap(({ name, protocol: proto, port }) =>
      port == null ? [] : [{ name: name ?? "", protocol: proto ?? "TCP", port }],
    ),
    endpoints: endpoints
      .filter(({ conditions }) => conditions?.ready ?? true) // nil means ready, says the API
      .map(endpointOf),
    ...(draining.length === 0 ? {} : { draining }),
  };
}

type SliceEndpoint = z.infer<typeof sliceEndpoints>[number];

function endpointOf({ addresses, hostname: host, nodeName: node }: SliceEndpoint): LocalEndpoint {
  return { addresses, hostname: host ?? null, nodeName: node ?? null };
}

/** KEP-1669: where no endpoint is ready, those are used that serve until they have ended. */
function isDraining({ conditions }: SliceEndpoint): boolean {
  return conditions?.ready === false && conditions.serving === true && conditions.terminating === true;
}

/** exportBody keeps what is exported by its own right: nothing of the object's own labels (KEP-1645). */
export function exportBody({ metadata: meta, spec }: z.infer<typeof exportKind>): ExportSpec {
  return {
    createdAt: meta.creationTimestamp ?? null,
    exportedLabels: spec?.exportedLabels ?? {},
    exportedAnnotations: spec?.exportedAnnotations ?? {},
  };
}

function familiesOf(clusterIps: readonly string[]): LocalService["ipFamilies"] {
  return addressesIn(clusterIps).map((ip) => (ip.includes(":") ? "IPv6" : "IPv4"));
}

/** Ports of a Service as the API server checks them: one at least unless it has no cluster IP, names where there are
 *  several, and neither a name nor a (protocol, port) twice. */
function checkPorts(
  spec: {
    type?: string | null | undefined;
    clusterIP?: string | null | undefined;
    ports?: ServicePort[] | null | undefined;
  },
  context: z.RefinementCtx,
): void {
  const ports = spec.ports ?? [];
  const fault = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: "custom", path: ["ports", ...path], message });
  if (ports.length === 0 && spec.clusterIP !== "None" && spec.type !== "ExternalName") {
    fault([], "must have at least one port, unless clusterIP is None");
  }
  ports.forEach(({ name, port, protocol: proto }, at) => {
    const earlier = ports.slice(0, at);
    if (ports.length > 1 && !name) fault([at, "name"], "must be set where there are several ports");
    else if (earlier.some((other) => other.name === name)) fault([at, "name"], "is taken by an earlier port");
    if (earlier.some((other) => other.port === port && (other.protocol ?? "TCP") === (proto ?? "TCP"))) {
      fault([at, "port"], "is taken by an earlier port of the same protocol");
    }
  });
}

function seconds() {
  return z.int({ error: AFFINITY_RULE }).min(1, { error: AFFINITY_RULE }).max(86_400, { error: AFFINITY_RULE });
}
