import type { HostPort } from "#values";

/** NameserverOptions is what a nameserver is started with: parsed, nothing in it can be wrong. */
export interface NameserverOptions {
  /** Folder of ServiceImport and EndpointSlice manifests. */
  readonly manifests: string;
  readonly servers: readonly ServerPlan[];
}

/** ServerPlan is one responder: the addresses at which the same zone is answered in the same way. */
export interface ServerPlan {
  readonly listen: readonly HostPort[];
  /** The zone, `clusterset.local`. */
  readonly origin: string;
  /** Seconds. */
  readonly ttl: number;
}
