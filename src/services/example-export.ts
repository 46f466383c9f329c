import type { ClusterId, Ip, Namespace, NodeName, ServiceName } from "#values";
import type { ExportedService } from "./exported-service.ts";
import type { ExportOf } from "./imported-service.ts";

/** exampleExport is shop/web with one port and one endpoint, as a member exports it: for tests, which change fields. */
export function exampleExport(cluster: string, changes: Partial<ExportedService> = {}, joinedAt = 0): ExportOf {
  const body: ExportedService = {
    namespace: "shop" as Namespace,
    name: "web" as ServiceName,
    type: "ClusterSetIP",
    createdAt: 1000,
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    sessionAffinity: "None",
    ipFamilies: ["IPv4"],
    labels: {},
    annotations: {},
    slices: [exampleSlice("10.1.0.1")],
    ...changes,
  };
  return { cluster: cluster as ClusterId, joinedAt, body };
}

/** exampleSlice serves the port `http` at 8080 of one endpoint. */
export function exampleSlice(address: string, name = "http", target = 8080): ExportedService["slices"][number] {
  return {
    ports: [{ name, protocol: "TCP", port: target }],
    endpoints: [{ address: address as Ip, node: "node-1" as NodeName }],
  };
}
