/** Resource is one kind of object that an API server serves. */
export interface Resource {
  readonly apiVersion: string;
  readonly kind: string;
  /** As in paths: lower case, plural. */
  readonly plural: string;
  readonly namespaced: boolean;
}

export const RESOURCES = {
  namespaces: { apiVersion: "v1", kind: "Namespace", plural: "namespaces", namespaced: false },
  services: { apiVersion: "v1", kind: "Service", plural: "services", namespaced: true },
  configMaps: { apiVersion: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true },
  nodes: { apiVersion: "v1", kind: "Node", plural: "nodes", namespaced: false },
  endpointSlices: {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    plural: "endpointslices",
    namespaced: true,
  },
  serviceExports: {
    apiVersion: "multicluster.x-k8s.io/v1beta1",
    kind: "ServiceExport",
    plural: "serviceexports",
    namespaced: true,
  },
  serviceImports: {
    apiVersion: "multicluster.x-k8s.io/v1beta1",
    kind: "ServiceImport",
    plural: "serviceimports",
    namespaced: true,
  },
  clusterProperties: {
    apiVersion: "about.k8s.io/v1beta1",
    kind: "ClusterProperty",
    plural: "clusterproperties",
    namespaced: false,
  },
} as const satisfies Readonly<Record<string, Resource>>;

/** rightOf names a resource as RBAC does: `serviceexports.multicluster.x-k8s.io`. */
export function rightOf({ apiVersion, plural }: Resource): string {
  const [group, version] = apiVersion.split("/");
  return version === undefined ? plural : `${plural}.${group}`;
}

/** pathOf is where the objects of a resource are: all of them, those of a namespace, or one. */
export function pathOf({ apiVersion, plural, namespaced }: Resource, namespace = "", name = ""): string {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inside = namespaced && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}${inside}/${plural}${name === "" ? "" : `/${encodeURIComponent(name)}`}`;
}

/** Metadata is what is read of every object's (meta/v1 ObjectMeta). */
export interface Metadata {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
}

/** metadataOf reads an object's metadata; undefined where it has no name or version, as no real object has. */
export function metadataOf(object: unknown): Metadata | undefined {
  const meta = ((object ?? {}) as { readonly metadata?: Readonly<Record<string, unknown>> }).metadata ?? {};
  const text = (field: string): string => (typeof meta[field] === "string" ? (meta[field] as string) : "");
  const found = {
    namespace: text("namespace"),
    name: text("name"),
    uid: text("uid"),
    resourceVersion: text("resourceVersion"),
  };
  return found.name === "" || found.resourceVersion === "" ? undefined : found;
}

/** keyOf is an object's name inside its kind: `NAMESPACE/NAME`, or `NAME` where there are no namespaces. */
export function keyOf({ namespace, name }: Pick<Metadata, "namespace" | "name">): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
