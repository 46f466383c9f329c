import type { Ip } from "#values";
import { parseIp } from "#values";
import type { Metadata } from "../api/resource.ts";
import { metadataOf } from "../api/resource.ts";
import { CLUSTERSET_IP, LABEL } from "../well-known.ts";
import { groupOf, type HeldSlice, type SliceEndpoint } from "./pack-slices.ts";
import {
  isOurs,
  type Projection,
  part,
  projectImport,
  projectService,
  projectSlice,
  projectStatus,
} from "./projection.ts";
import { type HeldConditions, heldConditions } from "./stamped.ts";

/** Held is what is known of an object that is in the API server. */
export interface Held {
  readonly meta: Metadata;
  readonly ours: boolean;
  readonly projection: Projection;
}

export interface HeldImport extends Held {
  readonly ips: readonly Ip[];
  /** The annotation by which its users choose a clusterset IP, as it is written; null: there is none. */
  readonly asked: string | null;
  readonly status: Projection;
  readonly conditions: HeldConditions;
}

/** HeldExport is a ServiceExport: its users' object, of which only conditions are ours. */
export interface HeldExport extends Held {
  readonly conditions: HeldConditions;
}

export interface HeldService extends Held {
  readonly clusterIp: Ip | null;
}

/** HeldSliceObject keeps its endpoints as text: there may be very many. */
export interface HeldSliceObject extends Held {
  readonly imported: string;
  readonly group: string;
  readonly endpoints: string;
}

export const IMPORT_CONDITIONS = ["Ready"] as const;
export const EXPORT_CONDITIONS = ["Valid", "Ready", "Conflict"] as const;

export function heldImport(object: unknown): HeldImport | undefined {
  const held = heldOf(object, projectImport);
  if (held === undefined) return undefined;
  const ips = part(object, "spec")["ips"];
  const asked = part(object, "metadata", "annotations")[CLUSTERSET_IP];
  return {
    ...held,
    ips: addressesOf(ips),
    asked: asked === undefined ? null : String(asked),
    status: projectStatus(object, IMPORT_CONDITIONS),
    conditions: heldConditions(object),
  };
}

export function heldExport(object: unknown): HeldExport | undefined {
  const held = heldOf(object, (one) => projectStatus(one, EXPORT_CONDITIONS));
  return held && { ...held, conditions: heldConditions(object) };
}

export function heldService(object: unknown): HeldService | undefined {
  const held = heldOf(object, projectService);
  return held && { ...held, clusterIp: addressesOf([part(object, "spec")["clusterIP"]])[0] ?? null };
}

export function heldSlice(object: unknown): HeldSliceObject | undefined {
  const held = heldOf(object, projectSlice);
  if (held === undefined) return undefined;
  const labels = part(object, "metadata", "labels");
  const { addressType, ports, endpoints } = object as Readonly<Record<string, unknown>>;
  const cluster = String(labels[LABEL.cluster] ?? "");
  return {
    ...held,
    imported: String(labels[LABEL.imported] ?? ""),
    group: groupOf(cluster, String(addressType), plainPorts(ports)),
    endpoints: JSON.stringify(endpoints ?? []),
  };
}

/** sliceOf is a held slice as packing reads it. */
export function sliceOf({ meta, group, endpoints }: HeldSliceObject): HeldSlice {
  return { name: meta.name, group, endpoints: JSON.parse(endpoints) as readonly SliceEndpoint[] };
}

/** heldOf reads what is held of any object. */
export function heldOf(object: unknown, project: (object: unknown) => Projection): Held | undefined {
  const meta = metadataOf(object);
  return meta && { meta, ours: isOurs(object), projection: project(object) };
}

/** Ports in the order of fields in which packing writes them. */
function plainPorts(ports: unknown): unknown {
  if (!Array.isArray(ports)) return [];
  return (ports as readonly Readonly<Record<string, unknown>>[]).map(({ name, protocol, port, appProtocol }) => {
    return { name: name ?? "", protocol: protocol ?? "TCP", port, ...(appProtocol == null ? {} : { appProtocol }) };
  });
}

function addressesOf(texts: unknown): readonly Ip[] {
  if (!Array.isArray(texts)) return [];
  return texts.flatMap((text) => {
    const ip = typeof text === "string" ? parseIp(text) : undefined;
    return ip?.ok === true ? [ip.value] : [];
  });
}
