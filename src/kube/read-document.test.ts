import { describe, expect, test } from "vitest";
import { EXPORT, SERVICE, SLICE } from "./example-manifests.ts";
import { readContent } from "./read-document.ts";

const faults = (text: string, file = "web.yaml") => readContent(file, text).faults;
const bodies = (text: string, file = "web.yaml") => readContent(file, text).objects.map(({ body }) => body);

describe("readContent() of a Service", () => {
  test("fills in Kubernetes' defaults", () => {
    expect(bodies(SERVICE)).toEqual([
      {
        type: "ClusterIP",
        headless: false,
        ports: [{ name: "http", protocol: "TCP", port: 80, appProtocol: null }],
        sessionAffinity: "None",
        sessionAffinitySeconds: null,
        internalTrafficPolicy: "Cluster",
        trafficDistribution: null,
        ipFamilies: [],
      },
    ]);
  });

  test("knows a headless one, which needs no ports", () => {
    expect(bodies(SERVICE.replace(/ports:[\s\S]*/, "clusterIP: None\n"))).toMatchObject([
      { headless: true, ports: [] },
    ]);
  });

  test("takes the families from its cluster IPs where it names none", () => {
    expect(bodies(`${SERVICE}  clusterIPs: [10.96.0.1, "fd00::1"]\n`)).toMatchObject([
      { ipFamilies: ["IPv4", "IPv6"] },
    ]);
  });

  test("keeps ClientIP affinity for three hours unless told otherwise", () => {
    const affine = `${SERVICE}  sessionAffinity: ClientIP\n`;
    expect(bodies(affine)).toMatchObject([{ sessionAffinitySeconds: 10_800 }]);
    const config = `${affine}  sessionAffinityConfig:\n    clientIP:\n      timeoutSeconds: 60\n`;
    expect(bodies(config)).toMatchObject([{ sessionAffinitySeconds: 60 }]);
  });

  test("accepts targetPort by number and by name", () => {
    for (const target of ["8080", "web"]) expect(faults(`${SERVICE}    targetPort: ${target}\n`)).toEqual([]);
  });

  test("drops unknown fields, as the API server does", () => {
    expect(faults(`${SERVICE}  somethingNew: 1\nstatus: {}\n`)).toEqual([]);
  });

  test("is in the namespace default where it names none", () => {
    expect(readContent("a.yaml", SERVICE.replace("  namespace: shop\n", "")).objects).toMatchObject([
      { namespace: "default" },
    ]);
  });
});

describe("readContent() of an EndpointSlice", () => {
  test("keeps addresses, hostname, node and ports", () => {
    expect(bodies(SLICE)).toEqual([
      {
        service: "web",
        slice: {
          family: "IPv4",
          ports: [{ name: "http", protocol: "TCP", port: 8080 }],
          endpoints: [{ addresses: ["10.244.0.7"], hostname: "web-0", nodeName: "node-1" }],
        },
      },
    ]);
  });

  test.each([
    ["ready: true", 1],
    ["ready: false", 0],
    ["ready: null", 1],
    ["serving: true", 1],
  ])("with the condition %s has %i endpoint in force", (condition, count) => {
    const [body] = bodies(`${SLICE}  conditions: {${condition}}\n`);
    expect(body).toMatchObject({ slice: { endpoints: { length: count } } });
  });

  test("keeps apart an endpoint that ends and still serves, and no other that is not ready (KEP-1669)", () => {
    const ends = "ready: false, serving: true, terminating: true";
    const pod = { addresses: ["10.244.0.7"], hostname: "web-0", nodeName: "node-1" };
    expect(bodies(`${SLICE}  conditions: {${ends}}\n`)).toMatchObject([{ slice: { endpoints: [], draining: [pod] } }]);
    for (const other of ["ready: false, serving: true", "ready: false, terminating: true"]) {
      expect(bodies(`${SLICE}  conditions: {${other}}\n`)[0]).not.toHaveProperty("slice.draining");
    }
  });

  test("writes IPv6 addresses in their canonical form", () => {
    const six = SLICE.replace("IPv4", "IPv6").replace("[10.244.0.7]", '["FD00:0::7"]');
    expect(bodies(six)).toMatchObject([{ slice: { family: "IPv6", endpoints: [{ addresses: ["fd00::7"] }] } }]);
  });

  test("without the label of a Service, or of names, is ignored and counted", () => {
    expect(readContent("a.yaml", SLICE.replace("service-name: web", "other: web"))).toMatchObject({
      ignored: 1,
      objects: [],
    });
    const names = SLICE.replace("IPv4", "FQDN").replace("[10.244.0.7]", "[a.example]");
    expect(readContent("a.yaml", names)).toMatchObject({ ignored: 1, objects: [], faults: [] });
  });
});

describe("readContent() of a ServiceExport", () => {
  test.each(["v1alpha1", "v1beta1"])("knows %s", (version) => {
    expect(bodies(EXPORT.replace("v1alpha1", version))).toEqual([
      { createdAt: null, exportedLabels: {}, exportedAnnotations: {} },
    ]);
  });

  test("keeps its time, its exported labels and annotations", () => {
    const text = `${EXPORT}  creationTimestamp: "2026-01-31T12:00:00Z"
  labels: {own: stays-here}
spec:
  exportedLabels: {team: shop}
  exportedAnnotations:
    example.com/note: "a longer text, with: anything"
`;
    expect(bodies(text)).toEqual([
      {
        createdAt: Date.UTC(2026, 0, 31, 12),
        exportedLabels: { team: "shop" },
        exportedAnnotations: { "example.com/note": "a longer text, with: anything" },
      },
    ]);
  });
});

test("readContent() of a ServiceImport keeps type, ports, addresses and clusters, and drops addresses that are none", () => {
  const text = `apiVersion: multicluster.x-k8s.io/v1beta1
kind: ServiceImport
metadata: {name: web, namespace: shop}
spec:
  type: ClusterSetIP
  ips: [242.192.0.1, nonsense]
  ports: [{name: http, port: 80, protocol: TCP}]
status:
  clusters: [{cluster: east}, {cluster: west}]
`;
  expect(bodies(text)).toEqual([
    {
      namespace: "shop",
      name: "web",
      type: "ClusterSetIP",
      ports: [{ name: "http", protocol: "TCP", port: 80, appProtocol: null }],
      ips: ["242.192.0.1"],
      clusters: ["east", "west"],
    },
  ]);
});

describe("readContent() of several objects", () => {
  test("reads all documents of a file", () => {
    expect(
      readContent("a.yaml", [SERVICE, EXPORT, SLICE].join("---\n")).objects.map(({ kind, line }) => [kind, line]),
    ).toEqual([
      ["Service", 1],
      ["ServiceExport", 11],
      ["EndpointSlice", 17],
    ]);
  });

  test("reads a List, and a ServiceList whose items leave out their kind", () => {
    const service = { metadata: { name: "web" }, spec: { ports: [{ port: 80 }] } };
    const whole = { apiVersion: "v1", kind: "Service", ...service };
    const list = JSON.stringify({
      apiVersion: "v1",
      kind: "List",
      items: [whole, { ...whole, metadata: { name: "b" } }],
    });
    expect(readContent("a.json", list).objects.map(({ name }) => name)).toEqual(["web", "b"]);
    const typed = JSON.stringify({ apiVersion: "v1", kind: "ServiceList", items: [service] });
    expect(readContent("a.json", typed).objects).toMatchObject([{ kind: "Service", name: "web" }]);
  });

  test("reads a stream of JSON values", () => {
    const one = (name: string) => JSON.stringify({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const read = readContent("a.json", `${one("a")}\n${one("b")}${one("c")}\n\n`);
    expect(read.objects.map(({ name, line }) => [name, line])).toEqual([
      ["a", 1],
      ["b", 2],
      ["c", 2],
    ]);
    expect(read.faults).toEqual([]);
  });

  test("reads JSON in a YAML file", () => {
    expect(
      readContent("a.yaml", '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}}').objects,
    ).toHaveLength(1);
  });

  test("ignores and counts other kinds, v1 Endpoints too, and notes their namespaces", () => {
    const other = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: shop}\n";
    const endpoints = "apiVersion: v1\nkind: Endpoints\nmetadata: {name: a, namespace: old}\nsubsets: []\n";
    expect(readContent("a.yaml", `${other}---\n${endpoints}---\nkind: Any\napiVersion: x/v9\n`)).toEqual({
      objects: [],
      namespaces: ["shop", "old"],
      ignored: 3,
      faults: [],
    });
  });

  test("reads the export example of KEP-1645 once its group is the one that exists", () => {
    const kep = `apiVersion: multicluster.k8s.io/v1alpha1
kind: ServiceExport
metadata:
  name: my-svc
  namespace: my-ns
spec:
  exportedLabels:
    my-label: my-value
status:
  conditions:
  - type: Ready
    status: "True"
    reason: Exported
    message: "service is exported"
    lastTransitionTime: "2020-03-30T01:33:51Z"
`;
    expect(readContent("kep.yaml", kep)).toMatchObject({ ignored: 1, faults: [] });
    expect(bodies(kep.replace("multicluster.k8s.io", "multicluster.x-k8s.io"))).toMatchObject([
      { exportedLabels: { "my-label": "my-value" } },
    ]);
  });

  test("takes a ConfigMap that holds text like YAML for what it is", () => {
    const text = `apiVersion: v1
kind: ConfigMap
metadata:
  name: multicluster-network-options
data:
  options: |
    ## 网络连通方案
    kind: Service
---
# Submariner 部署示例
apiVersion: submariner.io/v1alpha1
kind: Broker
metadata:
  name: submariner-broker
  namespace: submariner-k8s-broker
spec:
  globalnetCIDRRange: "242.0.0.0/8"
`;
    expect(readContent("a.yaml", text)).toEqual({
      objects: [],
      namespaces: ["submariner-k8s-broker"],
      ignored: 2,
      faults: [],
    });
  });

  test("understands what plain YAML is not: anchors, merge keys, block scalars", () => {
    const text = `x: &meta {name: web, namespace: shop}
apiVersion: v1
kind: Service
metadata:
  <<: *meta
spec:
  ports: [{port: 80}]
`;
    expect(readContent("a.yaml", text).objects).toMatchObject([{ name: "web", namespace: "shop" }]);
  });
});
