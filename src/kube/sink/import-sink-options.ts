import type { Clock, Troubles } from "#life";
import type { ApiServer } from "../api/api-server.ts";

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
  /** The cluster IPs of services that are new, other or gone, by "namespace/name". */
  readonly onClusterIp: (key: string) => void;
  /** What a name was answered with may be in use a while after the name is gone. */
  readonly lingerMs: number;
}
