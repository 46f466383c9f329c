import type { Cidr, Ip } from "#values";
import type { GlobalnetPlan } from "./globalnet-plan.ts";
import { type ServiceEntry, serviceKey } from "./service-entry.ts";

/** examplePlan is gateway 1 of member n, with the addresses of the default supernet: for tests and benchmarks. */
export function examplePlan(n: number, change: Partial<GlobalnetPlan> = {}): GlobalnetPlan {
  return {
    supernet: "242.0.0.0/8" as Cidr,
    servicePrefix: "242.192.0.0/10" as Cidr,
    pods: [{ local: "10.244.0.0/16" as Cidr, global: `242.${n}.0.0/16` as Cidr }],
    nodePrefix: `242.0.${n}.0/24` as Cidr,
    direct: { pods: [], nodes: [] },
    node: { local: `172.31.${n}.1` as Ip, global: `242.0.${n}.1` as Ip },
    tunnels: ["mrd0"],
    localLinks: ["cni0"],
    hostPorts: [],
    daemonPorts: [],
    siblings: [],
    hairpin: [],
    ...change,
  };
}

/** exampleEntry is a service of some endpoints, written `10.1.1.1:80` or, with a weight, `10.1.1.1:80*3`. */
export function exampleEntry(
  key: string,
  endpoints: readonly string[],
  affinity: ServiceEntry["affinity"] = "none",
): ServiceEntry {
  const [address, protocol, port] = key.split(" ");
  const backends = endpoints.map((endpoint) => {
    const [, to, toPort, weight = "1"] = /^([\d.]+):(\d+)(?:\*(\d+))?$/.exec(endpoint) ?? [];
    return { address: to as Ip, port: Number(toPort), weight: Number(weight) };
  });
  return {
    address: address as Ip,
    protocol: protocol as ServiceEntry["protocol"],
    port: Number(port),
    affinity,
    backends,
  };
}

/** exampleServices maps entries by their keys. */
export function exampleServices(...entries: readonly ServiceEntry[]): ReadonlyMap<string, ServiceEntry> {
  return new Map(entries.map((entry) => [serviceKey(entry), entry]));
}

/** manyServices is n services of k endpoints each. */
export function manyServices(n: number, k: number): ReadonlyMap<string, ServiceEntry> {
  const places = Array.from({ length: n }, (_, i) => `${i >> 8}.${i & 255}`);
  const endpoints = (place: string): string[] => Array.from({ length: k }, (_, j) => `242.${2 + j}.${place}:8080`);
  return exampleServices(...places.map((place) => exampleEntry(`242.192.${place} TCP 80`, endpoints(place))));
}
