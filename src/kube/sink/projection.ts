import { DERIVED, LABEL, MANAGED_BY, MANAGER } from "../well-known.ts";

/** A projection is the part of an object that we write, in one form whether it comes from us or from the API server: two
 *  that are equal need no write. Kubernetes fills in defaults, and others may add labels and conditions of their own:
 *  none of that is in it. */
export type Projection = string;

type Fields = Readonly<Record<string, unknown>>;

/** projectService reads a derived Service. */
export function projectService(object: unknown): Projection {
  const spec = part(object, "spec");
  return JSON.stringify({
    labels: only(part(object, "metadata", "labels"), [MANAGED_BY.object]),
    ports: portsOf(spec["ports"]),
    ...affinityOf(spec),
    type: spec["type"] ?? "ClusterIP",
  });
}

/** projectImport reads a ServiceImport, without its status. */
export function projectImport(object: unknown): Projection {
  const spec = part(object, "spec");
  return JSON.stringify({
    labels: owned(object, "labels"),
    annotations: owned(object, "annotations"),
    type: spec["type"],
    ips: spec["ips"] ?? [],
    ipFamilies: spec["ipFamilies"] ?? [],
    ports: portsOf(spec["ports"]),
    ...affinityOf(spec),
    internalTrafficPolicy: spec["internalTrafficPolicy"] ?? null,
    trafficDistribution: spec["trafficDistribution"] ?? null,
  });
}

/** projectStatus reads the clusters and conditions of a ServiceImport, or the conditions of a ServiceExport; `types` are
 *  the conditions that are ours. When they changed last is not compared. */
export function projectStatus(object: unknown, types: readonly string[]): Projection {
  const status = part(object, "status");
  const clusters = list(status["clusters"]).map((one) => fields(one)["cluster"]);
  const conditions = types.map((type) => {
    const found = list(status["conditions"])
      .map(fields)
      .find((one) => one["type"] === type);
    return found === undefined ? null : [type, found["status"], found["reason"], found["message"]];
  });
  const slices = status["endpointSliceObjects"] ?? null;
  return JSON.stringify({ clusters: clusters.sort(), conditions, slices });
}

/** projectSlice reads an EndpointSlice of ours. */
export function projectSlice(object: unknown): Projection {
  const endpoints = list(fields(object)["endpoints"]).map((one) => {
    const { addresses, conditions, hostname, nodeName, zone } = fields(one);
    const { ready, serving, terminating } = fields(conditions);
    return [
      addresses,
      [ready ?? null, serving ?? null, terminating ?? null],
      hostname ?? "",
      nodeName ?? "",
      zone ?? "",
    ];
  });
  return JSON.stringify({
    labels: only(part(object, "metadata", "labels"), [MANAGED_BY.slice, LABEL.imported, LABEL.cluster, LABEL.service]),
    family: fields(object)["addressType"],
    ports: portsOf(fields(object)["ports"]),
    endpoints: endpoints.sort(byAddress),
  });
}

/** isOurs reports whether an object is marked as written by us. */
export function isOurs(object: unknown): boolean {
  const labels = part(object, "metadata", "labels");
  return labels[MANAGED_BY.object] === MANAGER || labels[MANAGED_BY.slice] === MANAGER;
}

/** owned keeps the labels (or annotations) that we own by the object's managed fields (KEP-555): what others added is
 *  theirs. An object of our own making, not written yet, has no managed fields: all of it is ours. */
function owned(object: unknown, what: "labels" | "annotations"): Fields {
  const all = part(object, "metadata", what);
  const entries = part(object, "metadata")["managedFields"];
  if (entries === undefined) return sorted(all, Object.keys(all));
  const keys = new Set([MANAGED_BY.object, DERIVED]);
  for (const entry of list(entries).map(fields)) {
    if (entry["manager"] !== MANAGER || entry["operation"] !== "Apply") continue;
    for (const key of Object.keys(part(entry["fieldsV1"], "f:metadata", `f:${what}`))) keys.add(key.slice("f:".length));
  }
  return sorted(all, [...keys]);
}

function only(all: Fields, keys: readonly string[]): Fields {
  return sorted(all, keys);
}

function sorted(all: Fields, keys: readonly string[]): Fields {
  const there = [...keys].sort().filter((key) => Object.hasOwn(all, key));
  return Object.fromEntries(there.map((key) => [key, all[key]]));
}

/** Ports of a Service, an import or a slice; the defaults of the API filled in. */
function portsOf(ports: unknown): readonly unknown[] {
  return list(ports).map((one) => {
    const { name, protocol, port, appProtocol } = fields(one);
    return [name ?? "", protocol ?? "TCP", port, appProtocol ?? ""];
  });
}

function affinityOf(spec: Fields): Fields {
  const sessionAffinity = spec["sessionAffinity"] ?? "None";
  const seconds = part(spec["sessionAffinityConfig"], "clientIP")["timeoutSeconds"] ?? null;
  return { sessionAffinity, seconds: sessionAffinity === "ClientIP" ? seconds : null };
}

function byAddress(a: readonly unknown[], b: readonly unknown[]): number {
  const [x, y] = [JSON.stringify(a), JSON.stringify(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

/** part follows a path through objects; an empty object where there is none. */
export function part(object: unknown, ...path: readonly string[]): Fields {
  return path.reduce<Fields>((here, step) => fields(here[step]), fields(object));
}

function fields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
