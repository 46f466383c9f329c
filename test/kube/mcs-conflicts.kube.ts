import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadLive } from "#kube";
import { eventually, findKubeTools } from "#lab";
import { err, ok } from "#values";
import {
  addService,
  at,
  conditionOf,
  exportService,
  type Fields,
  importOf,
  noImport,
  slicesOf,
  unexport,
} from "./objects.ts";
import { type FolderMember, type KubeMember, type KubeScene, NAMESPACE, raisePair } from "./scene.ts";

const { RESOURCES } = await loadLive();

/** The rows of KEP-1645 about exports that disagree and clusters that go: two clusters with API servers, and a third
 *  whose exports are files. Exports are created more than a second apart, since their age counts in seconds. */

const tools = await findKubeTools();
if (!tools.ok) process.stderr.write(`skipped: ${tools.error}\n`);

/** Creation times have whole seconds. */
const OLDER_MS = 1100;

describe.skipIf(!tools.ok)("exports that disagree, on real API servers", () => {
  let scene: KubeScene;
  let amber: KubeMember;
  let birch: KubeMember;
  let cedar: FolderMember;

  beforeAll(async () => {
    if (!tools.ok) return;
    ({ scene, amber, birch } = await raisePair(tools.value));
    cedar = await scene.addFolder("cedar");
  });
  afterAll(() => scene?.down());

  const both = (): readonly KubeMember[] => [amber, birch];

  /** two exports a name in amber, then otherwise in birch. */
  async function two(name: string, older: Fields, younger: Fields, specs: readonly Fields[] = [{}, {}]): Promise<void> {
    await addService(amber, name, { spec: older });
    await addService(birch, name, { spec: younger });
    await exportService(amber, name, specs[0]);
    await sleep(OLDER_MS);
    await exportService(birch, name, specs[1]);
  }

  async function conflict(name: string, reason: string): Promise<string> {
    const texts = await Promise.all(
      both().map((one) => conditionOf(one, name, { type: "Conflict", status: "True", reason })),
    );
    expect(texts[0]).toBe(texts[1]);
    return texts[0] ?? "";
  }

  const ports = (port: number, name = "http"): Fields => ({ ports: [{ name, port, protocol: "TCP" }] });

  test.each([
    ["c1-ports", "PortConflict", ports(80), ports(81), { ports: [{ port: 80 }] }],
    ["c1-type", "TypeConflict", {}, { clusterIP: "None" }, { type: "ClusterSetIP" }],
    ["c1-affinity", "SessionAffinityConflict", {}, { sessionAffinity: "ClientIP" }, { sessionAffinity: "None" }],
    [
      "c1-seconds",
      "SessionAffinityConfigConflict",
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
      { sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds: 90 } } },
      { sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
    ],
    [
      "c1-policy",
      "InternalTrafficPolicyConflict",
      {},
      { internalTrafficPolicy: "Local" },
      { internalTrafficPolicy: "Cluster" },
    ],
    [
      "c1-distribution",
      "TrafficDistributionConflict",
      { trafficDistribution: "PreferSameZone" },
      {},
      { trafficDistribution: "PreferSameZone" },
    ],
  ] as const)(
    "[1.2-C1] %s: %s is told on both exports, the oldest wins",
    async (name, reason, older, younger, spec) => {
      await two(name, older, younger);
      await conflict(name, reason);
      for (const member of both()) {
        const made = await importOf(
          member,
          name,
          (object) => (at(object, "status", "clusters") as unknown[]).length === 2,
        );
        expect(at(made, "spec")).toMatchObject(spec);
      }
      await unexport(both(), name);
    },
  );

  test("[1.2-C1] labels and annotations are taken whole from the oldest", async () => {
    const young = { exportedLabels: { b: "2" }, exportedAnnotations: { b: "2" } };
    await two("c1-labels", {}, {}, [{ exportedLabels: { a: "1" }, exportedAnnotations: { a: "1" } }, young]);
    await conflict("c1-labels", "AnnotationsConflict,LabelsConflict");
    const made = await importOf(birch, "c1-labels");
    expect(at(made, "metadata", "labels")).toMatchObject({ a: "1" });
    expect(JSON.stringify([at(made, "metadata", "labels"), at(made, "metadata", "annotations")])).not.toContain('"b"');
    await unexport(both(), "c1-labels");
  });

  test("[1.2-C2] a new conflict moves nothing; when the oldest goes, the next rules and the conflict is over", async () => {
    await two("c2", ports(80, "a"), ports(80, "b"));
    await conflict("c2", "PortConflict");
    const before = await importOf(birch, "c2");
    expect(at(before, "spec", "ports", 0, "name")).toBe("a");
    await amber.user.remove(RESOURCES.serviceExports, NAMESPACE, "c2");
    await conditionOf(birch, "c2", { type: "Conflict", status: "False", reason: "NoConflicts" });
    const after = await importOf(birch, "c2", (object) => at(object, "spec", "ports", 0, "name") === "b");
    expect(at(after, "spec", "ips")).toEqual(at(before, "spec", "ips"));
    await unexport(both(), "c2");
  });

  test("[1.2-C3] [1.2-C4] three clusters: neither the own export nor the majority counts, and the message names no other", async () => {
    await addService(amber, "c3", { spec: { sessionAffinity: "ClientIP" } });
    await addService(birch, "c3");
    await exportService(amber, "c3");
    await sleep(OLDER_MS);
    await exportService(birch, "c3");
    cedar.write("c3.yaml", cedarText("c3"));
    const text = await conflictOf3("c3");
    expect(text).toBe(
      'Conflicting sessionAffinity. Using "ClientIP" from oldest service export in "amber". 2/3 clusters disagree.',
    );
    for (const member of both()) expect(at(await importOf(member, "c3"), "spec", "sessionAffinity")).toBe("ClientIP");
    cedar.write("c3.yaml", "");
    await unexport(both(), "c3");
  });

  /** The exports of both are told of the third as it comes. */
  async function conflictOf3(name: string): Promise<string> {
    const condition = { type: "Conflict", status: "True", reason: "SessionAffinityConflict" };
    const told = await eventually(async () => {
      const [here, there] = await Promise.all(both().map((member) => conditionOf(member, name, condition)));
      return here === there && here?.includes("/3") ? ok(here) : err(`${here} and ${there}`);
    });
    if (!told.ok) throw new Error(told.error);
    return told.value;
  }

  test("[1.2-IP4] families with nothing in common are a conflict", async () => {
    const single = { clusterIP: "None", ipFamilyPolicy: "SingleStack" };
    await two("ip4", { ...single, ipFamilies: ["IPv4"] }, { ...single, ipFamilies: ["IPv6"] });
    await conflict("ip4", "IPFamilyConflict");
    expect(at(await importOf(birch, "ip4"), "spec", "ipFamilies")).toEqual(["IPv4"]);
    await unexport(both(), "ip4");
  });

  test("[1.2-E9] who may not create a ServiceExport exports nothing, and is told by the API server", async () => {
    await addService(amber, "e9");
    const subject = { impersonate: "nobody" } as const;
    const asked = await amber.user.api.request(
      {
        method: "POST",
        path: `/apis/multicluster.x-k8s.io/v1beta1/namespaces/${NAMESPACE}/serviceexports`,
        headers: { "impersonate-user": subject.impersonate },
        body: { apiVersion: "multicluster.x-k8s.io/v1beta1", kind: "ServiceExport", metadata: { name: "e9" } },
      },
      new AbortController().signal,
    );
    expect(asked.ok ? 200 : asked.error.code).toBe(403);
    expect(await birch.user.get(RESOURCES.serviceImports, NAMESPACE, "e9")).toBeUndefined();
    await unexport(both(), "e9");
  });

  test("[1.2-EP8] a cluster that leaves takes its slices along; the others' stay", async () => {
    await two("ep8", {}, {});
    await slicesOf(birch, "ep8", 2);
    await addService(amber, "ep8-alone");
    await exportService(amber, "ep8-alone");
    await importOf(birch, "ep8-alone");
    await scene.leave(amber);
    const [slice] = await slicesOf(birch, "ep8", 1, 10_000);
    expect(at(slice, "metadata", "labels", "multicluster.kubernetes.io/source-cluster")).toBe("birch");
    await noImport(birch, "ep8-alone");
    await slicesOf(birch, "ep8-alone", 0);
  });

  test("leave takes everything of ours out of the cluster, and nothing else", async () => {
    const ours = ["app.kubernetes.io/managed-by=meridian.io", "endpointslice.kubernetes.io/managed-by=meridian.io"];
    const { serviceImports, services, endpointSlices, clusterProperties, serviceExports } = RESOURCES;
    for (const resource of [serviceImports, services, endpointSlices, clusterProperties]) {
      for (const label of ours) expect(await amber.user.list(resource, "", label)).toEqual([]);
    }
    const left = await amber.user.get(serviceExports, NAMESPACE, "ep8-alone");
    expect(at(left, "status", "conditions") ?? []).toEqual([]);
    expect(await amber.user.get(services, NAMESPACE, "ep8-alone")).toBeDefined();
  });
});

/** The same Service as a folder has it, younger than all others. */
function cedarText(name: string): string {
  const metadata = `{name: ${name}, namespace: ${NAMESPACE}, creationTimestamp: "2099-01-01T00:00:00Z"}`;
  return [
    `{apiVersion: v1, kind: Service, metadata: ${metadata}, spec: {ports: [{name: http, port: 80}]}}`,
    `{apiVersion: multicluster.x-k8s.io/v1beta1, kind: ServiceExport, metadata: ${metadata}}`,
  ].join("\n---\n");
}
