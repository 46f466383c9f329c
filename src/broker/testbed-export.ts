import type { ClusterId, Namespace, ServiceName } from "#values";
import { formatKey } from "#wire";

/** The exports of test members: ClusterSetIP services of the namespace shop with one endpoint each. */

export function exportKey(cluster: ClusterId, name: string): string {
  return formatKey({ kind: "export", cluster, namespace: "shop" as Namespace, name: name as ServiceName });
}

export function exportBody(name: string, address: string): unknown {
  return {
    namespace: "shop",
    name,
    type: "ClusterSetIP",
    createdAt: 1,
    ports: [{ name: "http", protocol: "TCP", port: 80 }],
    sessionAffinity: "None",
    ipFamilies: ["IPv4"],
    labels: {},
    annotations: {},
    slices: [{ ports: [{ name: "http", protocol: "TCP", port: 8080 }], endpoints: [{ address }] }],
  };
}
