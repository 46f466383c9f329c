export { describeAccess, type KubeAccess } from "./api/access.ts";
export type { ApiServer, ApiTraffic } from "./api/api-server.ts";
export type { Resource } from "./api/resource.ts";
export { CLUSTERSET_IPS, type ClustersetIp } from "./clusterset-ip.ts";
export type { Networks } from "./discover.ts";
export { EXPORT_MARKERS, type ExportMarker } from "./export-marker.ts";
export type { IdentityStore } from "./install/identity-secret.ts";
export { type Live, loadLive } from "./load-live.ts";
export type {
  ExportSpec,
  ImportedSlice,
  IpFamily,
  LocalEndpoint,
  LocalImport,
  LocalNode,
  LocalService,
  LocalServicePort,
  LocalSlice,
  LocalSlicePort,
} from "./manifest-object.ts";
export { createManifestSource, type ManifestSource, type ManifestSourceOptions } from "./manifest-source.ts";
export type { LocalExport, ManifestChange, Manifests } from "./manifests.ts";
export {
  formatNetwork,
  NETWORK,
  type NetworkDocument,
  type NetworkGateway,
  type NetworkNode,
  NODE_WAYS,
  type NodeWay,
  parseNetwork,
} from "./network-document.ts";
export type { ImportSink } from "./sink/import-sink.ts";
export type { NetworkSink } from "./sink/network-sink.ts";
export type { WantedImport } from "./sink/wanted-import.ts";
export type { TableImport, TablePort, TableSlice } from "./table-objects.ts";
export type { TableService, TableSource } from "./table-source.ts";
