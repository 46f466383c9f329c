import { describe, expect, test } from "vitest";
import { expect as must, parseIp } from "#values";
import { fileOf, type LabService, manifestsOf, namespacesOf, servicePorts } from "./service.ts";

const ip = (text: string) => must(parseIp(text));
const WEB: LabService = {
  namespace: "shop",
  name: "web",
  clusterIp: ip("10.96.0.10"),
  backends: [{ hostname: "web-0", address: ip("10.244.1.10"), node: { name: "amber-1" } }],
  exported: true,
};

describe("manifestsOf()", () => {
  test("manifestsOf() is a Service, its EndpointSlice and its export, in this order", () => {
    expect(manifestsOf(WEB).map(({ kind }) => kind)).toEqual(["Service", "EndpointSlice", "ServiceExport"]);
    expect(manifestsOf(WEB).map(({ apiVersion }) => apiVersion)).toEqual([
      "v1",
      "discovery.k8s.io/v1",
      "multicluster.x-k8s.io/v1alpha1",
    ]);
  });

  test("manifestsOf() leaves out the export of what is not exported", () => {
    expect(manifestsOf({ ...WEB, exported: false }).map(({ kind }) => kind)).not.toContain("ServiceExport");
  });

  test("manifestsOf() ties the slice to its Service and lists ready pods by host name and node", () => {
    const slice = manifestsOf(WEB)[1];
    expect(slice?.metadata.labels).toEqual({ "kubernetes.io/service-name": "web" });
    expect(slice?.["endpoints"]).toEqual([
      {
        addresses: ["10.244.1.10"],
        conditions: { ready: true, serving: true, terminating: false },
        hostname: "web-0",
        nodeName: "amber-1",
      },
    ]);
  });

  test("manifestsOf() gives a headless Service the ports of its pods, since nothing translates them", () => {
    const ports = (service: LabService) =>
      (manifestsOf(service)[0] as unknown as { spec: { ports: { port: number }[] } }).spec.ports.map(
        ({ port }) => port,
      );
    expect(ports(WEB)).toEqual([80, 9000]);
    expect(ports({ ...WEB, clusterIp: "None" })).toEqual([8080, 9000]);
  });
});

test("namespacesOf() names each namespace once", () => {
  const services = [WEB, { ...WEB, name: "db" }, { ...WEB, namespace: "bank" }];
  expect(namespacesOf(services).map(({ metadata }) => metadata.name)).toEqual(["shop", "bank"]);
});

describe("servicePorts()", () => {
  test("servicePorts() is TCP and UDP of a ClusterIP, with its endpoints", () => {
    expect(servicePorts(WEB)).toEqual([
      { clusterIp: "10.96.0.10", protocol: "tcp", port: 80, targetPort: 8080, endpoints: ["10.244.1.10"] },
      { clusterIp: "10.96.0.10", protocol: "udp", port: 9000, targetPort: 9000, endpoints: ["10.244.1.10"] },
    ]);
  });

  test("servicePorts() of a headless Service is nothing", () => {
    expect(servicePorts({ ...WEB, clusterIp: "None" })).toEqual([]);
  });
});

test("fileOf() tells equal names in two namespaces apart", () => {
  expect(fileOf(WEB)).toBe("shop-web.yaml");
});
