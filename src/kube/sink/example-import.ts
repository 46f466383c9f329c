import type { Backend, ImportedService } from "#services";
import type { ClusterId, Ip, Namespace, ServiceName } from "#values";
import type { WantedImport } from "./wanted-import.ts";

/** Examples for tests: the service shop/web with one port, as cluster amber imports it. */

export function backend(address: string, change: Partial<Backend> = {}): Backend {
  return {
    cluster: "birch" as ClusterId,
    address: address as Ip,
    hostname: address.replaceAll(".", "-"),
    node: null,
    targets: [{ portName: "http", protocol: "TCP", port: 80, target: 8080 }],
    ...change,
  };
}

export function wantedImport(backends: readonly Backend[], change: Partial<ImportedService> = {}): WantedImport {
  const imported: ImportedService = {
    namespace: "shop" as Namespace,
    name: "web" as ServiceName,
    type: "ClusterSetIP",
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    sessionAffinity: "None",
    sessionAffinitySeconds: null,
    internalTrafficPolicy: "Cluster",
    trafficDistribution: null,
    ipFamilies: ["IPv4"],
    labels: {},
    annotations: {},
    clusters: ["birch" as ClusterId],
    backends,
    draining: [],
    conflicts: [],
    ...change,
  };
  const ready = { status: "True", reason: "Ready", message: "The service can be reached." } as const;
  return { imported, address: "242.192.0.7" as Ip, backends, draining: [], own: "amber" as ClusterId, ready };
}
