import { isDnsLabel, PROTOCOLS } from "#values";
import { type ImportFields, importBody } from "./import-body.ts";
import type { LocalImport, ManifestObject } from "./manifest-object.ts";

type Fields = Readonly<Record<string, unknown>>;
export type ImportObject = Extract<ManifestObject, { kind: "ServiceImport" }>;

const VERSIONS: readonly unknown[] = ["multicluster.x-k8s.io/v1alpha1", "multicluster.x-k8s.io/v1beta1"];
const TYPES: readonly unknown[] = ["ClusterSetIP", "Headless"];
const MAX_PORTS = 100;
const MAX_IPS = 2;
const MAX_APP_PROTOCOL = 253;

/** quickImport reads a ServiceImport without the schema library, which takes longer to load than ten thousand of them to
 *  read. It gives what the schemas give, or undefined wherever it is not sure, faults of any kind included: then the
 *  schemas decide. Fields that are not known are dropped, as there. */
export function quickImport(value: unknown, line: number): ImportObject | undefined {
  if (!isRecord(value) || value["kind"] !== "ServiceImport" || !VERSIONS.includes(value["apiVersion"]))
    return undefined;
  if (!isMetadata(value["metadata"]) || !isSpec(value["spec"]) || !isStatus(value["status"])) return undefined;
  const body = owned(importBody(value as unknown as ImportFields)); // each of its fields was just looked at
  return { kind: "ServiceImport", namespace: body.namespace, name: body.name, body, line };
}

function isMetadata(value: unknown): boolean {
  if (!isRecord(value) || value["creationTimestamp"] != null) return false;
  const { name, namespace } = value;
  return isLabel(name) && (namespace == null || isLabel(namespace));
}

function isSpec(value: unknown): boolean {
  if (!isRecord(value) || !TYPES.includes(value["type"])) return false;
  return isList(value["ports"], MAX_PORTS, isPort) && isList(value["ips"], MAX_IPS, isText);
}

function isPort(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { name, protocol, port, appProtocol } = value;
  if (name != null && name !== "" && !isLabel(name)) return false;
  if (protocol != null && !(PROTOCOLS as readonly unknown[]).includes(protocol)) return false;
  if (appProtocol != null && !(typeof appProtocol === "string" && appProtocol.length <= MAX_APP_PROTOCOL)) return false;
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535;
}

function isStatus(value: unknown): boolean {
  return value == null || (isRecord(value) && isList(value["clusters"], Number.POSITIVE_INFINITY, isCluster));
}

function isCluster(value: unknown): boolean {
  return isRecord(value) && typeof value["cluster"] === "string";
}

function isList(value: unknown, most: number, isOne: (one: unknown) => boolean): boolean {
  return value == null || (Array.isArray(value) && value.length <= most && value.every(isOne));
}

function isLabel(value: unknown): boolean {
  return typeof value === "string" && isDnsLabel(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function owned({ namespace, name, type, ports, ips, clusters }: LocalImport): LocalImport {
  return {
    namespace: ownText(namespace),
    name: ownText(name),
    type: type === "Headless" ? "Headless" : "ClusterSetIP",
    ports: ports.map((port) => ({
      ...port,
      name: ownText(port.name),
      appProtocol: port.appProtocol && ownText(port.appProtocol),
    })),
    ips: ips.map(ownText),
    clusters: clusters.map(ownText),
  };
}

/** Shorter texts are copied when they are cut out: a reference would be as long. */
const SHORT = 13;

/** ownText is a text on its own: one that was cut out of a longer one keeps all of that alive, so what stays is copied. */
export function ownText<T extends string>(text: T): T {
  return (text.length < SHORT ? text : Buffer.from(text).toString()) as T;
}
