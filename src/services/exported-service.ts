import type { Ip, Namespace, NodeName, Protocol, ServiceName } from "#values";

/** What a member says of a Service that it exports. Optional fields may be absent or null, as in the Kubernetes API. */

export interface ExportPort {
  /** Empty for the port without a name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly appProtocol?: string | null | undefined;
}

/** ExportEndpoint is an endpoint by its global address. */
export interface ExportEndpoint {
  readonly address: Ip;
  readonly hostname?: string | null | undefined;
  readonly node?: NodeName | null | undefined;
}

/** ExportSlice is ready endpoints that share their target ports, and those that end and still serve. */
export interface ExportSlice {
  /** Target port by the service port's name. */
  readonly ports: readonly { readonly name: string; readonly protocol: Protocol; readonly port: number }[];
  readonly endpoints: readonly ExportEndpoint[];
  readonly draining?: readonly ExportEndpoint[] | undefined;
}

export interface ExportedService {
  readonly namespace: Namespace;
  readonly name: ServiceName;
  readonly type: "ClusterSetIP" | "Headless";
  /** Milliseconds since 1970: the age that decides conflicts. */
  readonly createdAt: number;
  readonly ports: readonly ExportPort[];
  readonly sessionAffinity: "None" | "ClientIP";
  readonly sessionAffinitySeconds?: number | null | undefined;
  readonly internalTrafficPolicy?: string | null | undefined;
  readonly trafficDistribution?: string | null | undefined;
  readonly ipFamilies: readonly ("IPv4" | "IPv6")[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly slices: readonly ExportSlice[];
}
