import type { Clock, Troubles } from "#life";
import type { ApiServer } from "../api/api-server.ts";
import type { ClustersetIp } from "../clusterset-ip.ts";

/** ImportSinkOptions is what a sink of imports works with, and asks. */
export interface ImportSinkOptions {
  readonly api: Pick<ApiServer, "request">;
  readonly clock: Clock;
  readonly random: () => number;
  readonly troubles: Troubles;
  /** Whether this gateway is the one of its cluster that writes. */
  readonly mayWrite: () => boolean;
  /** Whether a namespace exists: it is not made for an import (I1). */
  readonly hasNamespace: (namespace: string) => boolean;
  /** What the clusterset IP of an import is that does not say. */
  readonly clustersetIp: ClustersetIp;
  /** Hears of services that may have another address than before inside this cluster, by "namespace/name". */
  readonly onAddress: (key: string) => void;
  /** How long the cluster's other nodes may take to hear of what was written; 0 where there are none. */
  readonly spreadMs: () => number;
  /** What a name was answered with may be in use a while after the name is gone. */
  readonly lingerMs: number;
}
