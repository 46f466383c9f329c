import type { TableService, TableSlice } from "#kube";
import { type ClusterId, expect, type NodeName, parseCidr, parseIp } from "#values";

/** Examples for tests: what the gateways of amber wrote of the service shop/web. */

export const AMBER = {
  cluster: "amber" as ClusterId,
  servicePrefix: expect(parseCidr("242.192.0.0/10")),
  node: "node-2" as NodeName,
};

/** service is an import with one port. */
export function service(ip: string, slices: readonly TableSlice[], affinity: "none" | "client" = "none"): TableService {
  const ports = [{ name: "http", protocol: "TCP", port: 80 }] as const;
  return { imported: { ips: [expect(parseIp(ip))], ports, affinity }, slices };
}

/** slice is some endpoints of a member; `10.244.0.5@node-2` is one on a node. */
export function slice(cluster: string, endpoints: readonly string[], port = 8080, name = "http"): TableSlice {
  return {
    imported: "shop/web",
    cluster,
    ports: [{ name, protocol: "TCP", port }],
    endpoints: endpoints.map((text) => {
      const [address = "", node = null] = text.split("@");
      return { address: expect(parseIp(address)), node };
    }),
  };
}
