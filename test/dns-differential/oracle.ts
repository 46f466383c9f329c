import type { ZoneEndpoint, ZonePort, ZoneService } from "#dns";
import { type Ip, ipBytes } from "#values";

/** The names of a zone and their records, made once more from the specifications, without anything of the responder:
 *  one plain tree, no octets. KEP-1645 DNS specification 2.2 to 2.4; RFC 1034, 2308, 2782, 8020, 8482. */
export class Oracle {
  readonly origin: string;
  readonly ttl: number;
  /** By folded name without the origin; a name without records is an empty non-terminal. */
  readonly names = new Map<string, Map<string, Set<string>>>();

  constructor(origin: string, ttl: number, server: readonly Ip[], services: readonly ZoneService[]) {
    this.origin = origin;
    this.ttl = ttl;
    this.#add([], "NS", `ns.dns.${origin}`);
    this.#add(["dns-version"], "TXT", '"1.0.0"');
    for (const address of server) this.#add(["ns", "dns"], familyOf(address), canonical(address));
    // They exist without anything below them.
    for (const empty of ["svc", "dns", "pod"]) this.#exists([empty]);
    for (const service of services) this.#service(service);
  }

  #service(service: ZoneService): void {
    const below = [service.name, service.namespace, "svc"];
    if (!isLabel(service.namespace)) return;
    this.#exists([service.namespace, "svc"]);
    if (!isLabel(service.name)) return;
    const members = service.type === "Headless" ? mergedEndpoints(service.endpoints) : [virtual(service)];
    if (members.length === 0) return;
    this.#exists(below);
    this.#members(below, members, () => true, below);
    const labels = members.flatMap(({ ports }) => ports.map(portLabel).filter((label) => label !== undefined));
    for (const label of new Set(labels)) {
      const having = members.filter(({ ports }) => ports.some((port) => portLabel(port) === label));
      this.#members([...label.split("."), ...below], having, (port) => portLabel(port) === label, below);
    }
    if (service.type !== "Headless") return;
    for (const { host, addresses } of members) {
      for (const address of addresses) this.#add([...host, ...below], familyOf(address), canonical(address));
    }
  }

  /** members gives a name all addresses of some members, and an SRV record for each of their ports that fits. */
  #members(
    at: readonly string[],
    members: readonly Member[],
    fits: (port: ZonePort) => boolean,
    service: readonly string[],
  ): void {
    if (!this.#encodable(at)) return;
    const targets = members
      .filter(({ host, addresses }) => addresses.length > 0 && this.#encodable([...host, ...service]))
      .flatMap(({ host, addresses, ports }) =>
        // Candidates as CoreDNS counts them, before records of one target and port become one; but an address that
        // is listed twice for one member is one address.
        ports.filter(fits).map(({ port }) => ({ port, candidates: new Set(addresses).size, host })),
      );
    const candidates = targets.reduce((sum, target) => sum + target.candidates, 0);
    const weight = Math.max(1, Math.floor(100 / Math.max(1, candidates)));
    for (const { addresses } of members) {
      for (const address of addresses) this.#add(at, familyOf(address), canonical(address));
    }
    for (const { port, host } of targets) {
      const target = [...host, ...service, this.origin].join(".").toLowerCase();
      this.#add(at, "SRV", `0 ${weight} ${port} ${target}`);
    }
    this.#exists(at);
  }

  #add(labels: readonly string[], type: string, data: string): void {
    if (!this.#encodable(labels)) return;
    this.#exists(labels);
    const sets = this.names.get(labels.join(".").toLowerCase());
    const set = sets?.get(type);
    if (set === undefined) sets?.set(type, new Set([data]));
    else set.add(data);
  }

  /** exists makes a name and all above it exist (RFC 8020). */
  #exists(labels: readonly string[]): void {
    if (!this.#encodable(labels)) return;
    for (let from = 0; from <= labels.length; from++) {
      const name = labels.slice(from).join(".").toLowerCase();
      if (!this.names.has(name)) this.names.set(name, new Map());
    }
  }

  #encodable(labels: readonly string[]): boolean {
    const octets = [...labels, ...this.origin.split(".")].reduce((sum, label) => sum + label.length + 1, 1);
    return labels.every(isLabel) && octets <= 255;
  }
}

/** What is answered for as one: a ClusterSetIP service, or all endpoints of one hostname in one cluster. */
interface Member {
  readonly host: readonly string[];
  readonly addresses: readonly Ip[];
  readonly ports: readonly ZonePort[];
}

function virtual({ addresses, ports }: ZoneService): Member {
  return { host: [], addresses, ports };
}

function mergedEndpoints(endpoints: readonly ZoneEndpoint[]): readonly Member[] {
  const ready = endpoints.filter(({ addresses }) => addresses.length > 0);
  const groups = Map.groupBy(ready, ({ hostname, cluster }) => `${hostname}.${cluster}`.toLowerCase());
  return [...groups.values()].map((same) => ({
    host: [same[0]?.hostname ?? "", same[0]?.cluster ?? ""],
    addresses: same.flatMap(({ addresses }) => addresses),
    ports: same.flatMap(({ ports }) => ports),
  }));
}

/** Named ports alone have a name of their own, and only where that is one label. */
function portLabel({ name, protocol }: ZonePort): string | undefined {
  const label = `_${name}`.toLowerCase();
  return name === "" || !isLabel(label) || name.includes(".") ? undefined : `${label}._${protocol.toLowerCase()}`;
}

function isLabel(text: string): boolean {
  return text.length > 0 && text.length <= 63 && /^[\x20-\x7e]*$/.test(text);
}

function familyOf(address: Ip): "A" | "AAAA" {
  return address.includes(":") ? "AAAA" : "A";
}

/** canonical is an address as the octets it has, since text can differ. */
function canonical(address: Ip): string {
  return ipBytes(address).toHex();
}
