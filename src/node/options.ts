import type { KubeAccess } from "#kube";
import type { HostPort, NodeName } from "#values";

/** NodeOptions is the parsed configuration of a node: every field has been checked at the door. */
export interface NodeOptions {
  readonly dataDir: string;
  readonly name: NodeName;
  /** Who tells where the gateways are: a live cluster, or a file that a gateway has written. */
  readonly from:
    | { readonly kind: "cluster"; readonly access: KubeAccess; readonly namespace: string }
    | { readonly kind: "file"; readonly path: string };
  readonly http: HostPort | null;
  readonly version: string;
}
