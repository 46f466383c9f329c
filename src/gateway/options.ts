import type { ClustersetIp, ExportMarker, KubeAccess, NodeWay } from "#kube";
import type { Secret } from "#life";
import type { DataPlaneMode } from "#tunnel";
import type { Cidr, ClusterId, HostPort, Ip, NodeName } from "#values";

/** GatewayOptions is the parsed configuration of a gateway: every field has been checked at the door. */
export interface GatewayOptions {
  readonly dataDir: string;
  readonly cluster: ClusterId;
  /** Needed once; null on later starts. */
  readonly joinToken: Secret | null;
  readonly podCidrs: readonly Cidr[];
  readonly serviceCidrs: readonly Cidr[];
  /** False: pods of members that offer it too are reached by their own addresses (direct mode). */
  readonly globalnet: boolean;
  /** Global prefixes asked for by hand, by the place of their pod CIDR. */
  readonly globalCidrs: readonly Cidr[];
  readonly manifests: string | null;
  /** The live cluster that exports are read from and imports are written to; null: there is none, or `manifests`. */
  readonly kubernetes: KubeAccess | null;
  /** How packets go between the gateways and the cluster's other nodes. */
  readonly nodeWay: NodeWay;
  /** The namespace of this program's own objects in it. */
  readonly namespace: string;
  /** Marks of other programs that export a Service of the live cluster. */
  readonly exportMarkers: readonly ExportMarker[];
  /** What the clusterset IP of its imports is, unless they say. */
  readonly clustersetIp: ClustersetIp;
  /** What tells the source of exports apart from others; null where nobody said. All gateways of a cluster have one. */
  readonly source: string | null;
  /** Where peers send to; null: what the broker saw. The port is of index 0. */
  readonly endpoint: { readonly host: Ip; readonly port: number | null } | null;
  readonly listenPort: number;
  readonly dataPlane: DataPlaneMode;
  readonly wireguardGo: string | null;
  readonly dns: readonly HostPort[];
  readonly http: HostPort | null;
  readonly name: NodeName;
  readonly identityFile: string;
  /** $PATH, to look for wireguard-go. */
  readonly path: string;
  readonly version: string;
}

/** Seconds between keepalives: below the shortest common NAT timeout for UDP, as `wg` documents. */
export const KEEPALIVE_SECONDS = 25;
export const TTL_SECONDS = 5;
export const ORIGIN = "clusterset.local";
