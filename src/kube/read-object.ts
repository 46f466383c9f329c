import type { z } from "zod";
import { importBody } from "./import-body.ts";
import {
  exportBody,
  exportKind,
  importKind,
  namespaceKind,
  nodeBody,
  nodeKind,
  serviceBody,
  serviceKind,
  sliceBody,
  sliceEndpoints,
  sliceKind,
} from "./kinds.ts";
import type { ManifestObject, ParsedFile, SliceBody } from "./manifest-object.ts";
import { LABEL } from "./well-known.ts";

/** FieldFault says what is wrong with one field of an object, by its path from the document's root. */
export interface FieldFault {
  readonly path: readonly PropertyKey[];
  readonly reason: string;
}

/** Reader adds one object, or nothing where it gives faults. */
type Reader = (value: unknown, line: number, into: ParsedFile) => readonly FieldFault[];

/** What is read, by apiVersion and kind; everything else is ignored and counted. v1 Endpoints are among the ignored:
 *  EndpointSlices say the same. */
const READERS: Readonly<Record<string, Reader>> = {
  "v1 Namespace": reader(namespaceKind, ({ metadata: { name } }, line) => {
    return { kind: "Namespace", namespace: "", name, body: null, line };
  }),
  "v1 Node": reader(nodeKind, (value, line) => {
    return { kind: "Node", namespace: "", name: value.metadata.name, body: nodeBody(value), line };
  }),
  "v1 Service": reader(serviceKind, (value, line) => {
    return { kind: "Service", ...named(value), body: serviceBody(value), line };
  }),
  "discovery.k8s.io/v1 EndpointSlice": readSlice,
  "multicluster.x-k8s.io/v1alpha1 ServiceExport": reader(exportKind, anExport),
  "multicluster.x-k8s.io/v1beta1 ServiceExport": reader(exportKind, anExport),
  "multicluster.x-k8s.io/v1alpha1 ServiceImport": reader(importKind, anImport),
  "multicluster.x-k8s.io/v1beta1 ServiceImport": reader(importKind, anImport),
};

/** readObject adds what a document's value means to `into`, a List's items one by one, and gives what is wrong. */
export function readObject(value: unknown, line: number, into: ParsedFile): readonly FieldFault[] {
  if (!isRecord(value)) return [{ path: [], reason: "must be an object with apiVersion and kind" }];
  const { apiVersion, kind, items } = value;
  if (typeof apiVersion !== "string") return [{ path: ["apiVersion"], reason: shown("must be a string", apiVersion) }];
  if (typeof kind !== "string") return [{ path: ["kind"], reason: shown("must be a string", kind) }];
  if (kind.endsWith("List") && Array.isArray(items)) return readList(value, items, kind, line, into);
  const read = READERS[`${apiVersion} ${kind}`];
  if (read !== undefined) return read(value, line, into);
  into.ignored += 1;
  const namespace = isRecord(value["metadata"]) ? value["metadata"]["namespace"] : undefined;
  if (typeof namespace === "string" && !into.namespaces.includes(namespace)) into.namespaces.push(namespace);
  return [];
}

/** readList reads a `List`, or a `ServiceList` and its like, whose items may leave out their kind. */
function readList(
  list: Readonly<Record<string, unknown>>,
  items: readonly unknown[],
  kind: string,
  line: number,
  into: ParsedFile,
): readonly FieldFault[] {
  const defaults = kind === "List" ? {} : { apiVersion: list["apiVersion"], kind: kind.slice(0, -"List".length) };
  return items.flatMap((item, at) => {
    const faults = readObject(isRecord(item) ? { ...defaults, ...item } : item, line, into);
    return faults.map(({ path, reason }) => ({ path: ["items", at, ...path], reason }));
  });
}

/** reader makes a Reader of a schema and of what becomes of its value. */
function reader<T>(schema: z.ZodType<T>, make: (value: T, line: number) => ManifestObject): Reader {
  return (value, line, into) => {
    const result = schema.safeParse(value);
    if (!result.success) return faultsOf(result.error, value);
    into.objects.push(make(result.data, line));
    return [];
  };
}

/** readSlice keeps the slices of a Service or of an import. Those of FQDN addresses, deprecated, are ignored. */
function readSlice(value: unknown, line: number, into: ParsedFile): readonly FieldFault[] {
  const slice = sliceKind.safeParse(value);
  if (!slice.success) return faultsOf(slice.error, value);
  const { metadata, addressType, endpoints } = slice.data;
  const tied = tiesOf(metadata.labels ?? {});
  if (tied === null || addressType === "FQDN") {
    into.ignored += 1;
    return [];
  }
  const list = sliceEndpoints.safeParse(endpoints ?? []);
  if (!list.success) {
    return faultsOf(list.error, endpoints).map(({ path, reason }) => ({ path: ["endpoints", ...path], reason }));
  }
  const faults = wrongFamily(addressType, list.data);
  const body = { ...tied, slice: sliceBody(slice.data, list.data) };
  if (faults.length === 0) into.objects.push({ kind: "EndpointSlice", ...named(slice.data), body, line });
  return faults;
}

/** tiesOf says whose a slice is; null: nobody's that matters here. */
function tiesOf(labels: Readonly<Record<string, string>>): Omit<SliceBody, "slice"> | null {
  const [service = "", name = ""] = [labels[LABEL.service], labels[LABEL.imported]];
  if (name !== "") return { service, imported: { name, cluster: labels[LABEL.cluster] ?? "" } };
  return service === "" ? null : { service };
}

/** wrongFamily finds addresses that contradict the slice's addressType, as the API server would. */
function wrongFamily(family: "IPv4" | "IPv6", endpoints: z.infer<typeof sliceEndpoints>): readonly FieldFault[] {
  return endpoints.flatMap(({ addresses }, at) =>
    addresses.flatMap((address, which) => {
      if (address.includes(":") === (family === "IPv6")) return [];
      return [{ path: ["endpoints", at, "addresses", which], reason: shown(`must be an ${family} address`, address) }];
    }),
  );
}

function anExport(value: z.infer<typeof exportKind>, line: number): ManifestObject {
  return { kind: "ServiceExport", ...named(value), body: exportBody(value), line };
}

function anImport(value: z.infer<typeof importKind>, line: number): ManifestObject {
  return { kind: "ServiceImport", ...named(value), body: importBody(value), line };
}

/** named is an object's identity; without a namespace it is in `default`, as kubectl has it. */
function named({
  metadata,
}: {
  readonly metadata: { readonly name: string; readonly namespace?: string | null | undefined };
}) {
  return { namespace: metadata.namespace ?? "default", name: metadata.name };
}

function faultsOf({ issues }: z.ZodError, value: unknown): readonly FieldFault[] {
  return issues.map((issue) => ({ path: issue.path, reason: shown(ruleOf(issue), at(value, issue.path)) }));
}

/** ruleOf says what a field must be. The schema library's own messages speak to programmers: they are put into the
 *  form of ours. */
function ruleOf(issue: z.core.$ZodIssue): string {
  if (/^(?:must|is) /.test(issue.message)) return issue.message; // one of our own
  if (issue.code === "invalid_type") return `must be ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`;
  if (issue.code === "invalid_value") return `must be one of ${issue.values.map(String).join(", ")}`;
  if (issue.code === "too_big" && issue.origin === "array") return `must have at most ${issue.maximum} entries`;
  if (issue.code === "too_small" && issue.origin === "array") return `must have at least ${issue.minimum} entries`;
  if (issue.code === "invalid_key") return issue.issues[0]?.message ?? issue.message;
  return issue.message.replace(/^Too big: .*?(\d+).*$/, "must have at most $1 characters");
}

/** shown is rule and value, cut short; objects are named, not printed. */
function shown(rule: string, value: unknown): string {
  if (value === undefined) return "is missing";
  const text =
    typeof value === "object" && value !== null ? (Array.isArray(value) ? "a list" : "an object") : undefined;
  const json = text ?? JSON.stringify(value);
  return `${rule}: ${json.length > 80 ? `${json.slice(0, 80)}…` : json}`;
}

/** at is the value at a path; undefined where there is none. */
function at(value: unknown, path: readonly PropertyKey[]): unknown {
  let here = value;
  for (const key of path) here = typeof here === "object" && here !== null ? Reflect.get(here, key) : undefined;
  return here;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
