import type { AclRule, ErrorsRule, LogRule } from "#dns";
import type { KubeAccess, Live } from "#kube";
import type { HostPort } from "#values";

/** NameserverOptions is what a nameserver is started with: parsed, nothing in it can be wrong. */
export interface NameserverOptions extends NameserverPlan {
  /** Where ServiceImports and EndpointSlices are read: a folder of manifests, or a live cluster. */
  readonly from: { readonly kind: "folder"; readonly dir: string } | LiveCluster;
  /** Metrics and health for people and Prometheus; null: none. */
  readonly http: HostPort | null;
  readonly version: string;
}

/** LiveCluster is an API server, and what reads it. */
export interface LiveCluster {
  readonly kind: "cluster";
  readonly access: KubeAccess;
  readonly live: Live;
}

/** NameserverPlan is what a Corefile may change while the nameserver runs. */
export interface NameserverPlan {
  readonly servers: readonly ServerPlan[];
  readonly doors: DoorPlan;
  /** SHA-512 of the Corefile, hexadecimal; null without one. */
  readonly hash: string | null;
}

/** DoorPlan is where CoreDNS's own probes and scrapers ask. */
export interface DoorPlan {
  readonly health: HostPort | null;
  /** How long names are still answered after the first sign of the end. */
  readonly lameduckMs: number;
  readonly ready: HostPort | null;
  /** Whether readiness may be lost again. */
  readonly continuously: boolean;
  readonly prometheus: HostPort | null;
}

export const NO_DOORS: DoorPlan = { health: null, lameduckMs: 0, ready: null, continuously: false, prometheus: null };

/** ServerPlan is one responder: the addresses at which the same zones are answered in the same way. */
export interface ServerPlan {
  readonly listen: readonly HostPort[];
  /** Whether an address was written `:53`, as CoreDNS's metrics then call it. */
  readonly anyAddress: boolean;
  /** The zones; none: everything is refused. */
  readonly origins: readonly string[];
  /** Seconds. */
  readonly ttl: number;
  /** Whether headless services and their endpoints answer. */
  readonly endpoints: boolean;
  readonly acl: readonly AclRule[];
  /** Largest UDP reply in octets. */
  readonly bufsize: number;
  readonly tcp: { readonly messageMs?: number; readonly idleMs?: number; readonly writeMs?: number };
  readonly startupMs: number;
  readonly log: readonly LogRule[];
  readonly errors: ErrorsRule | null;
  /** Whether queries are counted for CoreDNS's metrics. */
  readonly metrics: boolean;
  /** What CoreDNS's metrics call each origin: the server block's zone, and the plugin that has it. */
  readonly labels: readonly { readonly zone: string; readonly plugin: string }[];
  /** Directives by zone, for the metric that lists them. */
  readonly plugins: readonly { readonly zone: string; readonly name: string }[];
}

/** plainServer answers one zone as it is when nobody says otherwise. */
export function plainServer(listen: readonly HostPort[]): ServerPlan {
  return {
    listen,
    anyAddress: false,
    origins: ["clusterset.local"],
    ttl: 5, // what CoreDNS's multicluster plugin gives
    endpoints: true,
    acl: [],
    bufsize: 1232,
    tcp: {},
    startupMs: 5000,
    log: [],
    errors: null,
    metrics: true,
    labels: [{ zone: "clusterset.local.", plugin: "multicluster" }],
    plugins: [{ zone: "clusterset.local.", name: "multicluster" }],
  };
}
