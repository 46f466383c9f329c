import type { LocalExport, Manifests } from "#kube";
import type { Namespace, ServiceName } from "#values";
import { ip } from "./testbed.ts";

type Service = NonNullable<LocalExport["service"]>;
type Endpoints = LocalExport["slices"][number]["endpoints"];

/** ExportChange is what a test wants other than plain. */
export interface ExportChange {
  readonly service?: null;
  readonly type?: Service["type"];
  readonly headless?: boolean;
  readonly createdAt?: number;
  readonly exportedLabels?: Readonly<Record<string, string>>;
  readonly exportedAnnotations?: Readonly<Record<string, string>>;
  readonly endpoints?: Endpoints;
}

/** localExport is a ServiceExport of the manifests with one port and one pod, unless told otherwise. */
export function localExport(name: string, change: ExportChange = {}): LocalExport {
  const { type = "ClusterIP", headless = false, endpoints } = change;
  const service: Service = {
    ...{ type, headless, ports: [{ name: "http", protocol: "TCP", port: 80, appProtocol: null }] },
    ...{ sessionAffinity: "None", sessionAffinitySeconds: null, internalTrafficPolicy: "Cluster" },
    ...{ trafficDistribution: null, ipFamilies: ["IPv4"] },
  };
  const ports = [{ name: "http", protocol: "TCP" as const, port: 8080 }];
  const pod = { addresses: [ip("10.244.1.10")], hostname: `${name}-0`, nodeName: null };
  return {
    namespace: "shop" as Namespace,
    name: name as ServiceName,
    createdAt: change.createdAt ?? null,
    exportedLabels: change.exportedLabels ?? {},
    exportedAnnotations: change.exportedAnnotations ?? {},
    service: change.service === null ? null : service,
    slices: [{ family: "IPv4", ports, endpoints: endpoints ?? [pod] }],
    origin: { file: `${name}.yaml`, line: 3 },
  };
}

/** manifestsOf is a folder with these exports; `unread` are files that could not be read. */
export function manifestsOf(exports: readonly LocalExport[], unread: readonly string[] = []): Manifests {
  return {
    namespaces: new Set(["shop"]),
    exports: new Map(exports.map((local) => [`${local.namespace}/${local.name}`, local])),
    imports: new Map(),
    slicesOf: () => [],
    ignoredKinds: 0,
    nodes: new Map(),
    unread: new Set(unread),
  };
}
