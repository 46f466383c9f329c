import type { ClusterId, Ip, Namespace, NodeName, Protocol, ServiceName } from "#values";
import type { ExportedService, ExportPort } from "./exported-service.ts";

/** ExportOf is what one member exports under a name, with what the catalogue knows of the member. */
export interface ExportOf {
  readonly cluster: ClusterId;
  /** When the broker admitted the member, in milliseconds since 1970. */
  readonly joinedAt: number;
  readonly body: ExportedService;
}

/** Target is where a backend serves one merged port. */
export interface Target {
  /** Name of the merged port; empty for the port without a name. */
  readonly portName: string;
  readonly protocol: Protocol;
  /** The service's port. */
  readonly port: number;
  /** The endpoint's port. */
  readonly target: number;
}

/** Backend is one ready endpoint of one member. Endpoints of one slice share their `targets` array. */
export interface Backend {
  readonly cluster: ClusterId;
  readonly address: Ip;
  /** A DNS label: the endpoint's hostname, or the one derived from its address. */
  readonly hostname: string;
  readonly node: NodeName | null;
  /** In the order of the merged ports. Empty where the member exports none of them: such a backend has a name in DNS
   *  when the service is headless, and no traffic otherwise. */
  readonly targets: readonly Target[];
}

/** Reasons of the Conflict condition (mcs-api v1beta1 serviceexport.go), in the order in which they are reported. */
export const CONFLICT_REASONS = [
  "PortConflict",
  "TypeConflict",
  "SessionAffinityConflict",
  "SessionAffinityConfigConflict",
  "AnnotationsConflict",
  "LabelsConflict",
  "InternalTrafficPolicyConflict",
  "TrafficDistributionConflict",
  "IPFamilyConflict",
] as const;

export type ConflictReason = (typeof CONFLICT_REASONS)[number];

export interface Conflict {
  readonly reason: ConflictReason;
  /** Says the field, which cluster won and how many disagree; nothing about any single other cluster (KEP-1645). */
  readonly message: string;
}

/** ImportedService is one service of the clusterset: the merge of all exports of a namespace and name. */
export interface ImportedService {
  readonly namespace: Namespace;
  readonly name: ServiceName;
  readonly type: ExportedService["type"];
  readonly ports: readonly ExportPort[];
  /** `None` where the service is headless. */
  readonly sessionAffinity: ExportedService["sessionAffinity"];
  /** Seconds that a client stays with its endpoint; null without affinity. */
  readonly sessionAffinitySeconds: number | null;
  /** Always written out: `Cluster` where nobody said otherwise. */
  readonly internalTrafficPolicy: string;
  readonly trafficDistribution: string | null;
  readonly ipFamilies: ExportedService["ipFamilies"];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The exporting members, sorted. */
  readonly clusters: readonly ClusterId[];
  /** Grouped by member in the order of `clusters`, then as the member published them. */
  readonly backends: readonly Backend[];
  /** Endpoints that end and still serve: for whoever finds no ready one, and in no name or table of ours. */
  readonly draining: readonly Backend[];
  readonly conflicts: readonly Conflict[];
}
