import { describe, expect, test } from "vitest";
import { tableImport, tableSlice } from "./table-objects.ts";

const METADATA = { name: "web", namespace: "shop", resourceVersion: "1" };

describe("tableImport()", () => {
  test("has addresses, ports by their defaults, and affinity", () => {
    const ports = [{ name: "http", protocol: "TCP", port: 80 }, { port: 53, protocol: "UDP" }, { port: 81 }];
    const spec = { type: "ClusterSetIP", ips: ["242.192.0.7"], ports, sessionAffinity: "ClientIP" };
    expect(tableImport({ metadata: METADATA, spec })).toEqual({
      ips: ["242.192.0.7"],
      ports: [
        { name: "http", protocol: "TCP", port: 80 },
        { name: "", protocol: "UDP", port: 53 },
        { name: "", protocol: "TCP", port: 81 },
      ],
      affinity: "client",
    });
  });

  test.each([
    ["no spec", {}],
    ["addresses that are none, or of IPv6", { spec: { ips: ["web", 7, "fd00::1"] } }],
    ["ports that are none", { spec: { ports: [{ port: "80" }, { port: 80, protocol: "ICMP" }, null] } }],
    ["no lists", { spec: { ips: "242.192.0.7", ports: {} } }],
  ])("leaves out %s", (_, object) => {
    expect(tableImport({ metadata: METADATA, ...object })).toEqual({ ips: [], ports: [], affinity: "none" });
  });
});

describe("tableSlice()", () => {
  const labels = {
    "multicluster.kubernetes.io/service-name": "web",
    "multicluster.kubernetes.io/source-cluster": "birch",
  };
  const slice = (endpoints: unknown) => {
    const metadata = { ...METADATA, name: "imported-1", labels };
    return tableSlice({ metadata, addressType: "IPv4", ports: [{ name: "http", port: 8080 }], endpoints });
  };

  test("says whose endpoints it has, of which import, by which ports", () => {
    const endpoints = [{ addresses: ["242.2.0.1"], conditions: { ready: true } }];
    expect(slice(endpoints)).toEqual({
      imported: "shop/web",
      cluster: "birch",
      ports: [{ name: "http", protocol: "TCP", port: 8080 }],
      endpoints: [{ address: "242.2.0.1", node: null }],
    });
  });

  test.each<[string, object | undefined, boolean]>([
    ["is ready", { ready: true }, true],
    ["does not say, so it is", { serving: true }, true],
    ["has no conditions, so it is", undefined, true],
    ["is not ready", { ready: false }, false],
    ["ends, and still serves", { ready: false, serving: true, terminating: true }, false],
  ])("an endpoint that %s", (_, conditions, there) => {
    const { endpoints } = slice([{ addresses: ["10.244.0.5"], nodeName: "node-1", conditions }]);
    expect(endpoints).toEqual(there ? [{ address: "10.244.0.5", node: "node-1" }] : []);
  });

  test("without endpoints, as they are written where there are none", () => {
    expect([slice(null).endpoints, slice(undefined).endpoints]).toEqual([[], []]);
  });
});
