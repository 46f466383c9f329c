/** Names by which objects of the Multi-Cluster Services API are known (KEP-1645; mcs-api well_known_labels.go). */

/** Who writes what this program writes: field manager, and value of the labels below. */
export const MANAGER = "meridian.io";

/** Label of the nodes on which gateways run: `GATEWAY_LABEL=true`. */
export const GATEWAY_LABEL = "meridian.io/gateway";

/** Labels that say who manages an object: Kubernetes' recommended one, and the slices' own (discovery/v1). */
export const MANAGED_BY = {
  object: "app.kubernetes.io/managed-by",
  slice: "endpointslice.kubernetes.io/managed-by",
} as const;

/** Labels that tie a slice to a Service, to an import, and an import's slice to the cluster it comes from. */
export const LABEL = {
  service: "kubernetes.io/service-name",
  imported: "multicluster.kubernetes.io/service-name",
  cluster: "multicluster.kubernetes.io/source-cluster",
} as const;

/** On a ServiceImport: the Service whose cluster IPs it has. */
export const DERIVED = "multicluster.kubernetes.io/derived-service";

/** On a ServiceImport, by users of its cluster: what its clusterset IP is here, whatever the cluster's setting. */
export const CLUSTERSET_IP = "meridian.io/clusterset-ip";
