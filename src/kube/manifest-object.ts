import type { Ip, Namespace, NodeName, Protocol, ServiceName } from "#values";

/** IpFamily as Kubernetes writes it. */
export type IpFamily = "IPv4" | "IPv6";

export interface LocalServicePort {
  /** Empty for the port without a name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly appProtocol: string | null;
}

/** LocalService is the exportable part of a Service, with Kubernetes' defaults filled in. A port's targetPort is not
 *  kept: the EndpointSlices say which number of which pod it means, named or not. */
export interface LocalService {
  readonly type: "ClusterIP" | "NodePort" | "LoadBalancer" | "ExternalName";
  /** `clusterIP: None`. */
  readonly headless: boolean;
  readonly ports: readonly LocalServicePort[];
  readonly sessionAffinity: "None" | "ClientIP";
  /** Seconds; null without affinity. */
  readonly sessionAffinitySeconds: number | null;
  readonly internalTrafficPolicy: "Cluster" | "Local";
  readonly trafficDistribution: string | null;
  /** As written, or else told by its cluster IPs; empty where neither says. */
  readonly ipFamilies: readonly IpFamily[];
}

export interface LocalSlicePort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

export interface LocalEndpoint {
  readonly addresses: readonly Ip[];
  readonly hostname: string | null;
  readonly nodeName: NodeName | null;
}

/** LocalSlice is an EndpointSlice without its endpoints that nobody is to use. */
export interface LocalSlice {
  readonly family: IpFamily;
  /** Target ports by the service port's name. */
  readonly ports: readonly LocalSlicePort[];
  /** Those that are ready. */
  readonly endpoints: readonly LocalEndpoint[];
  /** Those that end and still serve; absent where there are none, as nearly always. */
  readonly draining?: readonly LocalEndpoint[];
}

export interface ExportSpec {
  /** Milliseconds since 1970; null in a manifest that never was in an API server. */
  readonly createdAt: number | null;
  readonly exportedLabels: Readonly<Record<string, string>>;
  readonly exportedAnnotations: Readonly<Record<string, string>>;
}

/** LocalImport is a ServiceImport. Its schema checks little, so addresses that are none have been left out. */
export interface LocalImport {
  readonly namespace: Namespace;
  readonly name: ServiceName;
  readonly type: "ClusterSetIP" | "Headless";
  readonly ports: readonly LocalServicePort[];
  readonly ips: readonly Ip[];
  readonly clusters: readonly string[];
}

/** LocalNode is a Node, as far as other nodes send packets to it. */
export interface LocalNode {
  /** Its address in the cluster's network (`InternalIP`, IPv4); null while the kubelet has not told. */
  readonly address: Ip | null;
  /** Whether gateways are to run on it: the label `meridian.io/gateway=true`. */
  readonly gateway: boolean;
}

interface Named {
  /** Line, from 1, on which the object's document begins. */
  readonly line: number;
  /** Empty for objects without one: a Namespace, a Node. */
  readonly namespace: string;
  readonly name: string;
}

/** ManifestObject is one object of a manifest file: plain data, which passes between threads as JSON. `body` is all
 *  that matters of it, so that two versions can be compared without regard to their places. */
export type ManifestObject =
  | (Named & { readonly kind: "Namespace"; readonly body: null })
  | (Named & { readonly kind: "Node"; readonly body: LocalNode })
  | (Named & { readonly kind: "Service"; readonly body: LocalService })
  | (Named & { readonly kind: "EndpointSlice"; readonly body: SliceBody })
  | (Named & { readonly kind: "ServiceExport"; readonly body: ExportSpec })
  | (Named & { readonly kind: "ServiceImport"; readonly body: LocalImport });

export type ManifestKind = ManifestObject["kind"];

/** ImportedFrom ties a slice to the ServiceImport whose endpoints it holds, and names the cluster they come from: the
 *  labels `multicluster.kubernetes.io/service-name` and `…/source-cluster` (KEP-1645, "EndpointSlice"). */
export interface ImportedFrom {
  readonly name: string;
  /** Empty where the slice does not say: its endpoints then have no names of their own. */
  readonly cluster: string;
}

/** ImportedSlice is one cluster's endpoints of an imported Service. */
export interface ImportedSlice {
  readonly cluster: string;
  readonly slice: LocalSlice;
}

/** SliceBody is a slice with the name of the Service that its label `kubernetes.io/service-name` ties it to, empty
 *  without that label; and with the import that it belongs to, if any. A derived Service's slice has both. */
export interface SliceBody {
  readonly service: string;
  readonly imported?: ImportedFrom;
  readonly slice: LocalSlice;
}

/** Definition is an object and the file, by its name in the folder, that defines it. */
export type Definition = ManifestObject & { readonly file: string };

/** ParsedFile is what one file says. It is in force only if it has no faults. */
export interface ParsedFile {
  readonly objects: ManifestObject[];
  /** Namespaces that objects of other kinds name: they make a namespace exist, too. */
  readonly namespaces: string[];
  /** Objects of other kinds. */
  ignored: number;
  /** One line each: `file:line: field: reason`. */
  readonly faults: string[];
}

export function emptyFile(): ParsedFile {
  return { objects: [], namespaces: [], ignored: 0, faults: [] };
}
