import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LocalExport } from "#kube";
import { type Ip, ipv4From } from "#values";
import { exportBody as exportBodySchema } from "#wire";
import { exportBodyOf, type Translation, toGlobal, toLocal } from "./export-body.ts";
import { cidr, ip } from "./testbed.ts";
import { localExport } from "./testbed-manifests.ts";

const translation: Translation = {
  pods: [
    { local: cidr("10.244.0.0/16"), global: cidr("242.1.0.0/16") },
    { local: cidr("10.8.0.0/24"), global: cidr("242.9.3.0/24") },
  ],
  nodes: new Map([[ip("172.31.0.11"), ip("242.0.1.1")]]),
};
const addresses = (body: ReturnType<typeof exportBodyOf>): readonly string[] =>
  body?.slices.flatMap(({ endpoints }) => endpoints.map(({ address }) => address)) ?? [];
const withAddresses = (...list: readonly string[]): LocalExport =>
  localExport("web", {
    endpoints: list.map((address) => ({ addresses: [ip(address)], hostname: null, nodeName: null })),
  });

describe("toGlobal()", () => {
  test.each([
    ["a pod", "10.244.3.7", "242.1.3.7"],
    ["a pod of the second CIDR", "10.8.0.9", "242.9.3.9"],
    ["the first address of a CIDR", "10.244.0.0", "242.1.0.0"],
    ["the last", "10.244.255.255", "242.1.255.255"],
    ["the node", "172.31.0.11", "242.0.1.1"],
  ])("%s has a meaning in the clusterset", (_, local, global) => {
    expect(toGlobal(translation, ip(local))).toBe(global);
    expect(toLocal(translation, ip(global))).toBe(local);
  });

  test.each(["10.245.0.1", "172.31.0.12", "127.0.0.1", "242.1.0.1", "fd00::1"])("%s has none", (address) => {
    expect(toGlobal(translation, ip(address))).toBeUndefined();
  });

  test("toLocal() is its inverse on every pod, and leaves what is somebody else's", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff }), (host) => {
        const pod = ipv4From(0x0af40000 + host);
        expect(toLocal(translation, toGlobal(translation, pod) as Ip)).toBe(pod);
      }),
    );
    expect(toLocal(translation, ip("242.2.3.7"))).toBe("242.2.3.7");
  });
});

describe("exportBodyOf()", () => {
  test("a headless endpoint has its name from here, also one without a hostname: that of its own address", () => {
    const endpoints = [
      { addresses: [ip("10.244.3.7")], hostname: null, nodeName: null },
      { addresses: [ip("10.244.3.8")], hostname: "db-0", nodeName: null },
    ];
    const headless = localExport("db", { headless: true, endpoints });
    const names = exportBodyOf(headless, 1, translation)?.slices.flatMap((slice) =>
      slice.endpoints.map(({ address, hostname }) => `${hostname} ${address}`),
    );
    expect(names).toEqual(["10-244-3-7 242.1.3.7", "db-0 242.1.3.8"]);
    const plain = exportBodyOf(localExport("web", { endpoints }), 1, translation);
    expect(plain?.slices[0]?.endpoints.map(({ hostname }) => hostname)).toEqual([undefined, "db-0"]);
  });

  test("is a body that the wire takes, with the Service's properties and none of its own labels", () => {
    const local = localExport("web", { exportedLabels: { tier: "front" }, exportedAnnotations: { note: "x" } });
    const body = exportBodyOf(local, 77, translation);
    expect(exportBodySchema.safeParse(JSON.parse(JSON.stringify(body))).success).toBe(true);
    expect(body).toMatchObject({
      ...{ namespace: "shop", name: "web", type: "ClusterSetIP", createdAt: 77, labels: { tier: "front" } },
      ...{ annotations: { note: "x" }, sessionAffinity: "None", internalTrafficPolicy: "Cluster" },
      ports: [{ name: "http", protocol: "TCP", port: 80 }],
    });
  });

  test("endpoints are told by global address, with hostname and node", () => {
    const endpoints = [{ addresses: [ip("10.244.1.10")], hostname: "web-0", nodeName: "amber-1" as never }];
    expect(exportBodyOf(localExport("web", { endpoints }), 1, translation)?.slices).toEqual([
      {
        ports: [{ name: "http", protocol: "TCP", port: 8080 }],
        endpoints: [{ address: "242.1.1.10", hostname: "web-0", node: "amber-1" }],
      },
    ]);
  });

  test("endpoints outside pods and nodes are left out, and a slice with none left", () => {
    expect(addresses(exportBodyOf(withAddresses("10.244.1.1", "8.8.8.8", "172.31.0.11"), 1, translation))).toEqual([
      "242.1.1.1",
      "242.0.1.1",
    ]);
    expect(exportBodyOf(withAddresses("8.8.8.8"), 1, translation)?.slices).toEqual([]);
  });

  test("endpoints that end and still serve are told apart from those that are ready", () => {
    const one = (address: string) => ({ addresses: [ip(address)], hostname: null, nodeName: null });
    const local = localExport("web", { endpoints: [one("10.244.0.5")] });
    const [slice] = local.slices;
    if (slice === undefined) throw new Error("the example has a slice");
    const ending = { ...local, slices: [{ ...slice, draining: [one("10.244.0.6"), one("192.0.2.1")] }] };
    const body = exportBodyOf(ending, 0, translation);
    expect(body?.slices.map(({ endpoints, draining }) => [endpoints.length, draining])).toEqual([
      [1, undefined],
      [0, [{ address: "242.1.0.6" }]],
    ]);
    expect(exportBodySchema.safeParse(body).success).toBe(true);
  });

  test("without a translation nothing has a meaning yet, and the export stands all the same", () => {
    const body = exportBodyOf(withAddresses("10.244.1.1"), 1, { pods: [], nodes: new Map() });
    expect(body).toMatchObject({ name: "web", slices: [] });
  });

  test("more endpoints than a slice holds become several", () => {
    const endpoints = Array.from({ length: 2500 }, (_, at) => ({
      addresses: [ipv4From(0x0af40000 + at)],
      ...{ hostname: null, nodeName: null },
    }));
    const body = exportBodyOf(localExport("web", { endpoints }), 1, translation);
    expect(body?.slices.map((slice) => slice.endpoints.length)).toEqual([1000, 1000, 500]);
  });

  test("the age is the object's, or else when it was first signed", () => {
    expect(exportBodyOf(localExport("web", { createdAt: 5 }), 77, translation)?.createdAt).toBe(5);
    expect(exportBodyOf(localExport("web", {}), 77, translation)?.createdAt).toBe(77);
  });

  test("headless is a Service without a cluster IP", () => {
    expect(exportBodyOf(localExport("db", { headless: true }), 1, translation)?.type).toBe("Headless");
  });

  test.each([
    ["there is no Service", { service: null }],
    ["it is an ExternalName", { type: "ExternalName" as const }],
  ])("is undefined where %s (KEP-1645)", (_, change) => {
    expect(exportBodyOf(localExport("web", change), 1, translation)).toBeUndefined();
  });
});
