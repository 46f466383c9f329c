import type { Backend } from "#services";
import type { ClusterId } from "#values";
import { RESOURCES } from "../api/resource.ts";
import { LABEL, MANAGED_BY, MANAGER } from "../well-known.ts";
import { derivedName } from "./derived-name.ts";
import type { KubeObject } from "./kube-object.ts";
import type { WantedImport } from "./wanted-import.ts";

/** Endpoints in a slice: what kube-controller-manager has as its default, and every kube-proxy expects. */
const MOST = 100;

/** SliceEndpoint is one endpoint of a slice of ours, as it is written (discovery/v1 Endpoint). */
export interface SliceEndpoint {
  readonly addresses: readonly string[];
  readonly conditions: { readonly ready: boolean; readonly serving: boolean; readonly terminating: boolean };
  readonly hostname?: string;
  readonly nodeName?: string;
}

/** HeldSlice is what is known of a slice that is there. */
export interface HeldSlice {
  readonly name: string;
  /** The group it belongs to: see groupOf. */
  readonly group: string;
  readonly endpoints: readonly SliceEndpoint[];
}

const READY = { ready: true, serving: true, terminating: false };
const DRAINING = { ready: false, serving: true, terminating: true };

interface Group {
  readonly key: string;
  readonly cluster: ClusterId;
  readonly family: "IPv4" | "IPv6";
  readonly ports: readonly Readonly<Record<string, unknown>>[];
  readonly endpoints: SliceEndpoint[];
}

/** packSlices is pure: the slices that an import needs, where those that are there keep what they hold. An endpoint that
 *  stays stays in its slice, a new one goes where there is room, so that the change of one endpoint is the change of one
 *  slice. A slice holds endpoints of one cluster, of one family and with the same ports (EP3). `service` is the derived
 *  Service whose endpoints they are; null: there is none. */
export function packSlices(
  wanted: WantedImport,
  held: readonly HeldSlice[],
  service: string | null,
): readonly KubeObject[] {
  const taken = new Set(held.map(({ name }) => name));
  return groupsOf(wanted).flatMap((group) => {
    const mine = held.filter((slice) => slice.group === group.key).sort((a, b) => (a.name < b.name ? -1 : 1));
    return pack(group, mine).map(({ name, endpoints }) => {
      return sliceObject(wanted, group, { name: name ?? freshName(wanted, group, taken), endpoints, service });
    });
  });
}

interface Packed {
  /** Null: it is not there yet. */
  readonly name: string | null;
  readonly endpoints: SliceEndpoint[];
}

function pack({ endpoints }: Group, held: readonly HeldSlice[]): readonly Packed[] {
  const left = new Map(endpoints.map((endpoint) => [addressOf(endpoint), endpoint]));
  const packed = held.map(({ name, endpoints: before }): Packed => {
    const kept = before.flatMap((endpoint) => {
      const now = left.get(addressOf(endpoint));
      left.delete(addressOf(endpoint));
      return now ?? [];
    });
    return { name, endpoints: kept };
  });
  const rest = [...left.values()];
  // The fullest slice first: those that empty are left alone, and go.
  const byRoom = [...packed].sort((a, b) => b.endpoints.length - a.endpoints.length);
  for (const { endpoints: into } of byRoom) {
    if (into.length > 0) into.push(...rest.splice(0, Math.max(0, MOST - into.length)));
  }
  const first = packed.find(({ endpoints: into }) => into.length === 0);
  if (first !== undefined) first.endpoints.push(...rest.splice(0, MOST));
  while (rest.length > 0) packed.push({ name: null, endpoints: rest.splice(0, MOST) });
  return packed.filter(({ endpoints: into }) => into.length > 0);
}

function groupsOf({ imported, backends, draining, own }: WantedImport): readonly Group[] {
  const groups = new Map<string, Group>();
  const headless = imported.type === "Headless";
  const all = [
    ...backends.map((backend) => ({ backend, conditions: READY })),
    ...draining.map((backend) => ({ backend, conditions: DRAINING })),
  ];
  for (const { backend, conditions } of all) {
    if (backend.targets.length === 0 && !headless) continue;
    const { cluster, address } = backend;
    const family = address.includes(":") ? "IPv6" : "IPv4";
    const ports = portsOf(backend, imported.ports);
    const key = groupOf(cluster, family, ports);
    const group: Group = groups.get(key) ?? { key, cluster, family, ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(backend, { headless, own, conditions }));
  }
  return [...groups.values()];
}

/** groupOf names what all endpoints of a slice have in common. */
export function groupOf(cluster: string, family: string, ports: unknown): string {
  return JSON.stringify([cluster, family, ports]);
}

function portsOf({ targets }: Backend, merged: WantedImport["imported"]["ports"]) {
  return targets.map(({ portName, protocol, target }) => {
    const appProtocol = merged.find(({ name }) => name === portName)?.appProtocol ?? null;
    return { name: portName, protocol, port: target, ...(appProtocol === null ? {} : { appProtocol }) };
  });
}

/** Only the member's own endpoints are on nodes that this cluster knows. A headless service's have names. */
function endpointOf(
  { address, hostname, node, cluster }: Backend,
  {
    headless,
    own,
    conditions,
  }: Pick<SliceEndpoint, "conditions"> & { readonly headless: boolean; readonly own: ClusterId },
): SliceEndpoint {
  return {
    addresses: [address],
    conditions,
    ...(headless ? { hostname } : {}),
    ...(cluster === own && node !== null ? { nodeName: node } : {}),
  };
}

function sliceObject(
  { imported: { namespace, name } }: WantedImport,
  { cluster, family, ports }: Group,
  slice: { readonly name: string; readonly endpoints: readonly SliceEndpoint[]; readonly service: string | null },
): KubeObject {
  const { apiVersion, kind } = RESOURCES.endpointSlices;
  return {
    apiVersion,
    kind,
    metadata: {
      namespace,
      name: slice.name,
      labels: {
        [MANAGED_BY.slice]: MANAGER,
        [LABEL.imported]: name,
        [LABEL.cluster]: cluster,
        // kube-proxy follows a Service's slices by this label.
        ...(slice.service === null ? {} : { [LABEL.service]: slice.service }),
      },
    },
    addressType: family,
    ports,
    endpoints: slice.endpoints,
  };
}

/** The lowest number that is free: names that come back are the same. */
function freshName({ imported }: WantedImport, { cluster }: Group, taken: Set<string>): string {
  const stem = `${derivedName(imported.namespace, imported.name).replace("derived-", "imported-")}-${cluster}`;
  for (let at = 1; ; at += 1) {
    const name = `${stem}-${at}`;
    if (taken.has(name)) continue;
    taken.add(name);
    return name;
  }
}

function addressOf({ addresses }: SliceEndpoint): string {
  return addresses[0] ?? "";
}
