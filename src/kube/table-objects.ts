import { type Ip, PROTOCOLS, type Protocol, parseIp } from "#values";
import { part } from "./sink/projection.ts";
import { LABEL } from "./well-known.ts";

/** TableImport is a ServiceImport, as far as a service table needs it. */
export interface TableImport {
  /** IPv4 alone. */
  readonly ips: readonly Ip[];
  readonly ports: readonly TablePort[];
  /** `client`: connections of one source address go to one endpoint. */
  readonly affinity: "none" | "client";
}

/** TableSlice is what an EndpointSlice of an import has that is ready. */
export interface TableSlice {
  /** `NAMESPACE/NAME` of the import. */
  readonly imported: string;
  /** The member whose endpoints these are. */
  readonly cluster: string;
  /** Ports of the endpoints, by the names of the import's. */
  readonly ports: readonly TablePort[];
  readonly endpoints: readonly { readonly address: Ip; readonly node: string | null }[];
}

export interface TablePort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** tableImport reads a ServiceImport; what is none of what its kind says is left out. */
export function tableImport(object: unknown): TableImport {
  const spec = part(object, "spec");
  const affinity = spec["sessionAffinity"] === "ClientIP" ? "client" : "none";
  return { ips: list(spec["ips"]).flatMap(ipv4), ports: portsOf(spec["ports"]), affinity };
}

/** tableSlice reads an EndpointSlice of an import (discovery/v1): those of its endpoints that are ready, which is so where
 *  it is not said. */
export function tableSlice(object: unknown): TableSlice {
  const { namespace } = part(object, "metadata");
  const labels = part(object, "metadata", "labels");
  const { endpoints, ports } = part(object);
  return {
    imported: `${String(namespace)}/${String(labels[LABEL.imported])}`,
    cluster: String(labels[LABEL.cluster] ?? ""),
    ports: portsOf(ports),
    endpoints: list(endpoints).flatMap((one) => endpointsIn(part(one))),
  };
}

function endpointsIn(endpoint: Fields): TableSlice["endpoints"] {
  if (part(endpoint, "conditions")["ready"] === false) return [];
  const { addresses, nodeName } = endpoint;
  const node = typeof nodeName === "string" ? nodeName : null;
  return list(addresses).flatMap((text) => ipv4(text).map((address) => ({ address, node })));
}

function portsOf(ports: unknown): readonly TablePort[] {
  return list(ports).flatMap((one): TablePort[] => {
    const { name, protocol = "TCP", port } = part(one);
    const known = PROTOCOLS.find((each) => each === protocol);
    if (typeof port !== "number" || known === undefined) return [];
    return [{ name: typeof name === "string" ? name : "", protocol: known, port }];
  });
}

function ipv4(text: unknown): readonly Ip[] {
  const ip = typeof text === "string" && !text.includes(":") ? parseIp(text) : undefined;
  return ip?.ok === true ? [ip.value] : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
