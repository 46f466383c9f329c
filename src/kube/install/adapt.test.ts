import { describe, expect, test } from "vitest";
import { adapt } from "./adapt.ts";
import { crds, type KubeObject, manifests } from "./deploy-files.ts";

const SETTINGS = { namespace: "nets", image: "registry.example.com/meridian:9", gateway: { cluster: "birch" } };
const FILES = ["namespace", "rbac", "gateway", "node", "broker", "uninstall"] as const;
const ALL = FILES.flatMap(manifests);
const adapted = adapt(ALL, SETTINGS);

function one(kind: string, name: string): KubeObject {
  const found = adapted.find((object) => object.kind === kind && object.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

describe("adapt()", () => {
  test("moves everything of ours into the namespace, and leaves kube-system where it is", () => {
    expect(one("Namespace", "nets").metadata.labels?.["app.kubernetes.io/name"]).toBe("meridian");
    const namespaces = new Set(adapted.map(({ metadata }) => metadata.namespace));
    expect([...namespaces].sort()).toEqual(["kube-system", "nets", undefined]);
    const subject = { kind: "ServiceAccount", name: "meridian-gateway", namespace: "nets" };
    expect(one("ClusterRoleBinding", "meridian-gateway")["subjects"]).toEqual([subject]);
    expect(one("RoleBinding", "meridian-networks")["subjects"]).toEqual([subject]);
  });

  test("puts the image into every container, and beside the configuration", () => {
    const images = [...JSON.stringify(adapted).matchAll(/"image":"([^"]*)"/g)].map(([, image]) => image);
    expect(images.length).toBeGreaterThanOrEqual(4);
    expect(new Set(images)).toEqual(new Set([SETTINGS.image]));
    const { annotations } = one("ConfigMap", "meridian-gateway").metadata;
    expect(annotations).toEqual({ "meridian.io/image": SETTINGS.image });
  });

  test("writes the configuration, and marks the pods with it", () => {
    expect(one("ConfigMap", "meridian-gateway")["data"]).toEqual({ "gateway.yaml": "cluster: birch\n" });
    const digestOf = (cluster: string): unknown => {
      const [daemons] = adapt(manifests("gateway"), { ...SETTINGS, gateway: { cluster } }).filter(
        ({ kind }) => kind === "DaemonSet",
      );
      return /"meridian.io\/config-digest":"(\w+)"/.exec(JSON.stringify(daemons))?.[1];
    };
    expect(digestOf("birch")).toBe(digestOf("birch"));
    expect(digestOf("birch")).not.toBe(digestOf("cedar"));
  });

  test("leaves pods alone that have no configuration: they are not made anew for another's", () => {
    expect(JSON.stringify(one("DaemonSet", "meridian-node"))).not.toContain("config-digest");
  });

  test("what is written is not changed", () => {
    expect(manifests("gateway")).toEqual(manifests("gateway"));
    expect(JSON.stringify(manifests("gateway"))).toContain("meridian:dev");
  });
});

describe("the manifests ask for no more than they need", () => {
  const text = JSON.stringify([...ALL, ...crds()]);

  test("nothing is privileged, nobody may gain rights, every root is read-only, every capability is dropped first", () => {
    expect(text).not.toMatch(/"privileged":true|"hostPID":true|"hostIPC":true|"allowPrivilegeEscalation":true/);
    for (const container of containers()) {
      expect(container["securityContext"]).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      });
      const added = (container["securityContext"] as { capabilities: { add?: readonly string[] } }).capabilities.add;
      expect(added ?? ["NET_ADMIN"]).toEqual(["NET_ADMIN"]);
    }
    for (const pod of pods())
      expect(pod["securityContext"]).toMatchObject({ seccompProfile: { type: "RuntimeDefault" } });
  });

  test("no right is a wildcard, none reads a Secret, none makes a pod", () => {
    const rules = ALL.flatMap((object) => (object["rules"] ?? []) as readonly Rule[]);
    expect(rules.length).toBeGreaterThan(5);
    for (const { apiGroups, resources, verbs } of rules) {
      expect([...apiGroups, ...resources, ...verbs]).not.toContain("*");
      expect(resources).not.toContain("secrets");
      expect(resources.some((name) => name.startsWith("pods"))).toBe(false);
    }
  });

  test("a node's pods may read what the gateways tell them and wrote of imports, and nothing else", () => {
    const bound = ALL.filter(({ kind }) => kind.endsWith("Binding")).filter((object) =>
      JSON.stringify(object["subjects"]).includes("meridian-node"),
    );
    expect(bound.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([
      ["RoleBinding", "meridian-node"],
      ["ClusterRoleBinding", "meridian-node"],
    ]);
    const role = ALL.find(({ kind, metadata }) => kind === "Role" && metadata.name === "meridian-node");
    expect(role?.["rules"]).toEqual([
      { apiGroups: [""], resources: ["configmaps"], resourceNames: ["meridian-network"], verbs: ["list", "watch"] },
    ]);
    const everywhere = ALL.find(({ kind, metadata }) => kind === "ClusterRole" && metadata.name === "meridian-node");
    expect(everywhere?.["rules"]).toEqual([
      { apiGroups: ["multicluster.x-k8s.io"], resources: ["serviceimports"], verbs: ["list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
    ]);
  });

  test("of the host only what is named: data, the TUN device, the settings of the network", () => {
    const paths = [...text.matchAll(/"hostPath":\{"path":"([^"]+)"/g)].map(([, path]) => path);
    expect(new Set(paths)).toEqual(new Set(["/var/lib/meridian", "/var/lib", "/dev/net", "/proc/sys/net"]));
  });
});

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}
type Fields = Readonly<Record<string, unknown>>;

function pods(): readonly Fields[] {
  const makers = ALL.filter(({ kind }) => kind === "DaemonSet" || kind === "Deployment");
  expect(makers.length).toBe(4);
  return makers.map((object) => (object["spec"] as { template: { spec: Fields } }).template.spec);
}

function containers(): readonly Fields[] {
  return pods().flatMap((pod) => [...((pod["initContainers"] ?? []) as Fields[]), ...(pod["containers"] as Fields[])]);
}
