/** The room's second door: what a live cluster needs. It is opened by loadLive, and by nobody else. */
export { ApiServer } from "./api/api-server.ts";
export { kubeconfigFault } from "./api/kubeconfig-fault.ts";
export { pathOf, RESOURCES } from "./api/resource.ts";
export { clusterUid, discoverPods, discoverServices } from "./discover.ts";
export { crds } from "./install/deploy-files.ts";
export { type InstallAsk, install, installIdentity, rendered, renderedHome } from "./install/install.ts";
export { uninstall } from "./install/uninstall.ts";
export { createKubernetesSource } from "./kubernetes-source.ts";
export { createNetworkSource } from "./network-source.ts";
export { ExportSink } from "./sink/export-sink.ts";
export { ImportSink } from "./sink/import-sink.ts";
export { NetworkSink } from "./sink/network-sink.ts";
export { CLUSTER_PROPERTY, CLUSTERSET_PROPERTY, PropertySink } from "./sink/property-sink.ts";
export { removeAll } from "./sink/remove-all.ts";
export { createTableSource } from "./table-source.ts";
