import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLive } from "#kube";
import { eventually, findKubeTools } from "#lab";
import { err, ok } from "#values";
import { say } from "../cli/testbed-daemons.ts";
import {
  addressesOf,
  addService,
  at,
  conditionOf,
  derivedOf,
  exportService,
  type Fields,
  importOf,
  noImport,
  slicesOf,
  unexport,
} from "./objects.ts";
import { type KubeMember, type KubeScene, NAMESPACE, raisePair } from "./scene.ts";

const { RESOURCES } = await loadLive();

/** The rows of KEP-1645 that do not need a conflict, on two real API servers and the gateways of two clusters with the
 *  same pod and service networks. */

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

describe.skipIf(!tools.ok)("services of the clusterset on real API servers", () => {
  let scene: KubeScene;
  let amber: KubeMember;
  let birch: KubeMember;

  beforeAll(async () => {
    if (!tools.ok) return;
    ({ scene, amber, birch } = await raisePair(tools.value));
  });
  afterAll(() => scene?.down());

  const everywhere = (): readonly KubeMember[] => [amber, birch];

  test("[1.2-E1] [1.2-E5] [1.2-EP7] [1.2-I3] exported by a ServiceExport, here alone, and no longer than that", async () => {
    await addService(amber, "e1");
    await addService(birch, "e1");
    await exportService(amber, "e1");
    const [here, there] = [await importOf(amber, "e1"), await importOf(birch, "e1")];
    expect([here, there].map((one) => at(one, "status", "clusters"))).toEqual([
      [{ cluster: "amber" }],
      [{ cluster: "amber" }],
    ]);
    expect((await slicesOf(birch, "e1", 1)).flatMap(addressesOf)).toEqual([expect.stringMatching(/^242\./)]);
    expect((await slicesOf(amber, "e1", 1)).flatMap(addressesOf)).toEqual(["10.244.0.5"]);
    await amber.user.remove(RESOURCES.serviceExports, NAMESPACE, "e1");
    await Promise.all(everywhere().map((member) => noImport(member, "e1")));
    await Promise.all(everywhere().map((member) => slicesOf(member, "e1", 0)));
    await unexport(everywhere(), "e1");
  });

  test("[1.2-E2] [1.2-I5] [1.2-EP3] [1.2-EP5] one name of two clusters is one service; each slice is of one of them", async () => {
    await addService(amber, "e2", { pods: ["10.244.0.5", "10.244.0.6"] });
    await addService(birch, "e2");
    await exportService(amber, "e2");
    await exportService(birch, "e2");
    const both = [{ cluster: "amber" }, { cluster: "birch" }];
    const same = (object: Fields): boolean => JSON.stringify(at(object, "status", "clusters")) === JSON.stringify(both);
    await importOf(amber, "e2", same);
    await importOf(birch, "e2", same);
    const slices = await slicesOf(birch, "e2", 3);
    const byCluster = slices.map((slice) => [
      at(slice, "metadata", "labels", "multicluster.kubernetes.io/source-cluster"),
      addressesOf(slice).length,
    ]);
    expect(byCluster.toSorted()).toEqual([
      ["amber", 2],
      ["birch", 1],
    ]);
    await unexport(everywhere(), "e2");
  });

  test("[1.2-E3] [1.2-E4] labels and annotations by spec.exported* alone, properties by the Service", async () => {
    const metadata = { labels: { own: "label" }, annotations: { own: "annotation" } };
    const spec = {
      ports: [{ name: "http", port: 80, protocol: "TCP", appProtocol: "kubernetes.io/h2c" }],
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } },
      trafficDistribution: "PreferSameZone",
      internalTrafficPolicy: "Local",
    };
    await addService(amber, "e3", { metadata, spec });
    await exportService(amber, "e3", { exportedLabels: { tier: "a" }, exportedAnnotations: { note: "b" } });
    const there = await importOf(birch, "e3");
    expect(at(there, "spec")).toMatchObject({
      type: "ClusterSetIP",
      ports: spec.ports,
      sessionAffinity: "ClientIP",
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } },
      trafficDistribution: "PreferSameZone",
      internalTrafficPolicy: "Local",
    });
    expect(at(there, "metadata", "labels")).toMatchObject({ tier: "a" });
    expect(at(there, "metadata", "annotations")).toMatchObject({ note: "b" });
    expect(JSON.stringify(at(there, "metadata", "labels"))).not.toContain("own");
    expect(JSON.stringify(at(there, "metadata", "annotations"))).not.toContain("own");
    await unexport(everywhere(), "e3");
  });

  test("[1.2-E6] an ExternalName Service is not exported", async () => {
    await amber.user.create(RESOURCES.services, {
      metadata: { name: "e6", namespace: NAMESPACE },
      spec: { type: "ExternalName", externalName: "example.org" },
    });
    await exportService(amber, "e6");
    await conditionOf(amber, "e6", { type: "Valid", status: "False", reason: "InvalidServiceType" });
    expect(await birch.user.get(RESOURCES.serviceImports, NAMESPACE, "e6")).toBeUndefined();
    await unexport(everywhere(), "e6");
  });

  test("[1.2-E7] an export without a Service says so, and is valid once there is one", async () => {
    await exportService(amber, "e7");
    await conditionOf(amber, "e7", { type: "Valid", status: "False", reason: "NoService" });
    await addService(amber, "e7");
    await conditionOf(amber, "e7", { type: "Valid", status: "True", reason: "Valid" });
    await conditionOf(amber, "e7", { type: "Ready", status: "True", reason: "Exported" });
    await conditionOf(amber, "e7", { type: "Conflict", status: "False", reason: "NoConflicts" });
    await importOf(birch, "e7");
    await unexport(everywhere(), "e7");
  });

  test.each(["NodePort", "LoadBalancer"])("[1.2-E8] %s is exported like any other", async (type) => {
    const name = `e8-${type.toLowerCase()}`;
    await addService(amber, name, { spec: { type } });
    await exportService(amber, name);
    const there = await importOf(birch, name);
    expect(at(there, "spec", "type")).toBe("ClusterSetIP");
    const derived = await derivedOf(birch, there);
    expect(at(derived, "spec", "type")).toBe("ClusterIP");
    expect(JSON.stringify(there) + JSON.stringify(at(derived, "spec"))).not.toContain("nodePort");
    const own = await amber.user.get(RESOURCES.services, NAMESPACE, name);
    expect(at(own, "spec", "type")).toBe(type);
    await unexport(everywhere(), name);
  });

  test("[1.2-I1] no import without its namespace, none is made, and it comes with it", async () => {
    const namespace = "later";
    await amber.user.create(RESOURCES.namespaces, { metadata: { name: namespace } });
    await amber.user.create(RESOURCES.services, {
      metadata: { name: "i1", namespace },
      spec: { ports: [{ port: 80 }] },
    });
    await amber.user.create(RESOURCES.serviceExports, { metadata: { name: "i1", namespace } });
    const has = (member: KubeMember) => async () => {
      const found = await member.user.get(RESOURCES.serviceImports, namespace, "i1");
      return found === undefined ? err(`${member.cluster} has none`) : ok(found);
    };
    expect((await eventually(has(amber))).ok).toBe(true);
    expect(await birch.user.get(RESOURCES.namespaces, "", namespace)).toBeUndefined();
    await birch.user.create(RESOURCES.namespaces, { metadata: { name: namespace } });
    expect((await eventually(has(birch))).ok).toBe(true);
    await amber.user.remove(RESOURCES.serviceExports, namespace, "i1");
  });

  test("[1.2-I2] [1.2-IP1] what a user deletes or changes comes back, with the address that it had", async () => {
    await addService(amber, "i2");
    await exportService(amber, "i2");
    const before = await importOf(birch, "i2");
    const derived = String(at(await derivedOf(birch, before), "metadata", "name"));
    const ip = at(before, "spec", "ips", 0);
    expect(ip).toMatch(/^10\.96\./);
    await birch.user.remove(RESOURCES.serviceImports, NAMESPACE, "i2");
    const again = await importOf(
      birch,
      "i2",
      (object) => at(object, "metadata", "uid") !== at(before, "metadata", "uid"),
    );
    expect(at(again, "spec", "ips", 0)).toBe(ip);
    await birch.user.remove(RESOURCES.services, NAMESPACE, derived);
    const service = await eventually(async () => {
      const found = await birch.user.get(RESOURCES.services, NAMESPACE, derived);
      return found === undefined ? err("it is gone") : ok(found);
    });
    expect(service.ok && at(service.value, "spec", "clusterIP")).toBe(ip);
    const [slice] = await slicesOf(birch, "i2", 1);
    await birch.user.remove(RESOURCES.endpointSlices, NAMESPACE, String(at(slice, "metadata", "name")));
    await slicesOf(birch, "i2", 0);
    await slicesOf(birch, "i2", 1);
    const spec = { type: "ClusterSetIP", ports: [{ name: "http", port: 81, protocol: "TCP" }] };
    await birch.user.apply(RESOURCES.serviceImports, { metadata: { name: "i2", namespace: NAMESPACE }, spec });
    await importOf(birch, "i2", (object) => at(object, "spec", "ports", 0, "port") === 80);
    await unexport(everywhere(), "i2");
  });

  test("[1.2-I2] an import that is somebody else's is left alone, and told of", async () => {
    const spec = { type: "ClusterSetIP", ports: [{ name: "x", port: 9, protocol: "TCP" }], ips: ["192.0.2.9"] };
    await birch.user.create(RESOURCES.serviceImports, { metadata: { name: "i2b", namespace: NAMESPACE }, spec });
    await addService(amber, "i2b");
    await exportService(amber, "i2b");
    await importOf(amber, "i2b");
    await birch.gateway.line(/import-unwritten.*shop\/i2b/);
    const there = await birch.user.get(RESOURCES.serviceImports, NAMESPACE, "i2b");
    expect(at(there, "spec", "ips")).toEqual(["192.0.2.9"]);
    await birch.user.remove(RESOURCES.serviceImports, NAMESPACE, "i2b");
    await importOf(birch, "i2b", (object) => at(object, "spec", "ports", 0, "port") === 80, 40_000);
    await unexport(everywhere(), "i2b");
  });

  test("[1.2-I4] IPv6 alone cannot be had here: the import says so", async () => {
    // The API server of the laboratory has no IPv6 of its own: a headless Service may still ask for it.
    await addService(amber, "i4", { spec: { clusterIP: "None", ipFamilies: ["IPv6"], ipFamilyPolicy: "SingleStack" } });
    await exportService(amber, "i4");
    const there = await importOf(birch, "i4");
    expect(at(there, "status", "conditions")).toMatchObject([
      { type: "Ready", status: "False", reason: "IPFamilyNotSupported" },
    ]);
    await unexport(everywhere(), "i4");
  });

  test("[1.2-IP2] [1.2-IP3] families are the Service's, each once, and the addresses are of them", async () => {
    await addService(amber, "ip2");
    await exportService(amber, "ip2");
    const there = await importOf(birch, "ip2");
    expect(at(there, "spec", "ipFamilies")).toEqual(["IPv4"]);
    expect(at(there, "spec", "ips")).toEqual([at(await derivedOf(birch, there), "spec", "clusterIP")]);
    await unexport(everywhere(), "ip2");
  });

  test("[1.2-H1] a headless import has a type, no address, and endpoints with names", async () => {
    await addService(amber, "h1", { spec: { clusterIP: "None", ipFamilyPolicy: "SingleStack" }, hostname: "db-0" });
    await exportService(amber, "h1");
    const there = await importOf(birch, "h1");
    expect(at(there, "spec", "type")).toBe("Headless");
    expect(at(there, "spec", "ips") ?? []).toEqual([]);
    expect(at(there, "spec", "ipFamilies")).toEqual(["IPv4"]);
    const [slice] = await slicesOf(birch, "h1", 1);
    expect(at(slice, "endpoints", 0, "hostname")).toBe("db-0");
    await unexport(everywhere(), "h1");
  });

  test("[1.2-EP1] an endpoint that ends and still serves goes along as such; DNS does not know it", async () => {
    await addService(amber, "ends", { spec: { clusterIP: "None", ipFamilyPolicy: "SingleStack" } });
    await amber.user.apply(RESOURCES.endpointSlices, {
      metadata: {
        name: "ends-1",
        namespace: NAMESPACE,
        labels: { "kubernetes.io/service-name": "ends", "endpointslice.kubernetes.io/managed-by": "lab" },
      },
      addressType: "IPv4",
      ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      endpoints: [
        { addresses: ["10.244.0.5"], conditions: { ready: true } },
        { addresses: ["10.244.0.6"], conditions: { ready: false, serving: true, terminating: true } },
        { addresses: ["10.244.0.7"], conditions: { ready: false, serving: false, terminating: false } },
      ],
    });
    await exportService(amber, "ends");
    const slices = await slicesOf(birch, "ends", 2);
    const endpoints = slices.flatMap((slice) => slice["endpoints"] as readonly Fields[]);
    const byReady = endpoints.map((one) => at(one, "conditions")).toSorted((a) => (at(a, "ready") === true ? -1 : 1));
    expect(byReady).toEqual([
      { ready: true, serving: true, terminating: false },
      { ready: false, serving: true, terminating: true },
    ]);
    const answer = await say(["dig", `ends.${NAMESPACE}.svc.clusterset.local`, "--at", `127.0.0.1:${birch.dns}`]);
    expect(answer.out).toMatch(/242\.\d+\.0\.5/);
    expect(answer.out).not.toMatch(/242\.\d+\.0\.[67]/);
    await unexport(everywhere(), "ends");
  });

  test("a Service with Cilium's mark is exported as by a ServiceExport, as long as it carries it", async () => {
    await addService(amber, "marked", { metadata: { annotations: { "service.cilium.io/global": "true" } } });
    expect(at(await importOf(birch, "marked"), "status", "clusters")).toEqual([{ cluster: "amber" }]);
    const spec = { ports: [{ name: "http", port: 80, protocol: "TCP" }] };
    const annotations = { "service.cilium.io/global": "false" };
    await amber.user.apply(RESOURCES.services, {
      metadata: { name: "marked", namespace: NAMESPACE, annotations },
      spec,
    });
    await noImport(birch, "marked");
    await unexport(everywhere(), "marked");
  });

  test("the cluster says who it is and of which clusterset (KEP-2149); an id of somebody else's stays", async () => {
    const value = async ({ user }: KubeMember, name: string) =>
      at(await user.get(RESOURCES.clusterProperties, "", name), "spec", "value");
    expect(await value(amber, "cluster.clusterset.k8s.io")).toBe("amber");
    expect(await value(birch, "cluster.clusterset.k8s.io")).toBe("birch");
    const [here, there] = [await value(amber, "clusterset.k8s.io"), await value(birch, "clusterset.k8s.io")];
    expect(here).toMatch(/^sha256:/);
    expect(there).toBe(here);
    await birch.user.remove(RESOURCES.clusterProperties, "", "cluster.clusterset.k8s.io");
    const again = await eventually(async () =>
      (await value(birch, "cluster.clusterset.k8s.io")) === "birch" ? ok(undefined) : err("it is not there again"),
    );
    expect(again.ok).toBe(true);
  });

  test("a gateway that finds another cluster behind its kubeconfig ends, and says so", async () => {
    await birch.gateway.stop();
    const other = { ...birch, plane: { ...birch.plane, gatewayKubeconfig: amber.plane.gatewayKubeconfig } };
    await scene.start(other);
    expect(await other.gateway.exited).toBe(1);
    expect(other.gateway.lines.at(-1)).toMatch(/served the cluster .* leave first, or mend --kubeconfig/);
    await scene.start(birch);
    await birch.gateway.line(/"ready"/);
  });

  test("[1.2-EP1] [1.2-EP2] [1.2-EP4] [1.2-EP6] slices: managed by us, of our names, told of in the status", async () => {
    await addService(amber, "ep1");
    await exportService(amber, "ep1");
    const there = await importOf(birch, "ep1", (object) => at(object, "status", "endpointSliceObjects") === "Present");
    const [slice] = await slicesOf(birch, "ep1", 1);
    const derived = at(await derivedOf(birch, there), "metadata", "name");
    expect(at(slice, "metadata", "labels")).toEqual({
      "endpointslice.kubernetes.io/managed-by": "meridian.io",
      "kubernetes.io/service-name": derived,
      "multicluster.kubernetes.io/service-name": "ep1",
      "multicluster.kubernetes.io/source-cluster": "amber",
    });
    expect(at(slice, "metadata", "name")).toBe(`${String(derived).replace("derived-", "imported-")}-amber-1`);
    expect(at(slice, "ports")).toEqual([{ name: "http", protocol: "TCP", port: 8080 }]);
    const endpoint = { conditions: { ready: true, serving: true, terminating: false } };
    expect(at(slice, "endpoints")).toMatchObject([endpoint]);
    await unexport(everywhere(), "ep1");
  });
});
