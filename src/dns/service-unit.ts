import type { Ip } from "#values";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import type { Pointer } from "./reverse-zones.ts";
import { addressOctets, addressSets } from "./rr-writer.ts";
import { type SrvTarget, srvSet } from "./srv-set.ts";
import type { RrSet, Unit, UnitName } from "./unit.ts";
import { concat, labelOctets, latin1, MAX_NAME } from "./wire-name.ts";
import type { ZoneEndpoint, ZonePort, ZoneService, ZoneShape } from "./zone.ts";

/** Largest reply OPT: 11 octets and an extended error of 6. */
const OPT_ROOM = 17;

/** So few addresses always fit one message. */
const FEW = 1000;

/** Member is what answers for a service: its clusterset IPs as one, or a named endpoint of a headless service. */
interface Member {
  /** Labels left of the service's name, `host.cluster`; empty for a ClusterSetIP, absent where none can be encoded. */
  readonly sub: Uint8Array | undefined;
  readonly addresses: readonly Uint8Array[];
  readonly ips: readonly Ip[];
  readonly ports: readonly ZonePort[];
}

/** serviceKey is the key of a service's unit; undefined where its names cannot be encoded. */
export function serviceKey(namespace: string, name: string, kind = "svc"): Uint8Array | undefined {
  return labelOctets([name, namespace, kind]);
}

/** ServiceUnit is a unit and what could not be part of it. */
export interface ServiceUnit {
  /** Undefined where the service's name does not exist: a headless service without a ready endpoint. */
  readonly unit: Unit | undefined;
  /** Names that cannot be encoded: longer than 255 octets, or with a label that is none. */
  readonly skipped: number;
  /** Endpoints that have a name, by their address: made when asked for, since most zones are not reversed. */
  readonly pointers: () => readonly Pointer[];
}

const NOTHING: ServiceUnit = { unit: undefined, skipped: 0, pointers: () => [] };

/** serviceUnit makes all names and records of a service (KEP-1645 DNS specification, sections 2.3 and 2.4). */
export function serviceUnit(service: ZoneService, shape: ZoneShape): ServiceUnit {
  const key = serviceKey(service.namespace, service.name);
  if (key === undefined) return { ...NOTHING, skipped: 1 };
  const headless = service.type === "Headless";
  const { noEndpoints, noPorts, q7EndpointNames } = shape.compat;
  if (headless ? noEndpoints : noPorts && service.ports.length === 0) return NOTHING;
  const named = headless || (q7EndpointNames && !noEndpoints) ? headlessMembers(service.endpoints, key, shape) : [];
  const members = headless ? named : virtualMember(service);
  if (members.length === 0) return NOTHING;
  const names = new Names(key, shape);
  names.add(
    [],
    members,
    members.flatMap((member) => member.ports.map((port) => ({ member, port }))),
  );
  for (const { labels, pairs } of namedPorts(members)) names.add(labels, membersOf(pairs), pairs);
  // Only a headless service has names of single endpoints (2.3.4 forbids them for ClusterSetIP).
  for (const { sub, addresses } of named) names.addEndpoint(sub, addresses);
  const unit = { zone: shape.id, key, names: names.list() };
  return { unit, skipped: names.skipped, pointers: () => pointersOf(named, key, shape) };
}

/** pointersOf is what a reverse zone may say: each address is of the endpoint that has it. */
function pointersOf(members: readonly Member[], key: Uint8Array, shape: ZoneShape): readonly Pointer[] {
  return members.flatMap(({ sub, ips }) => {
    if (sub === undefined) return [];
    const target = concat(sub, key, shape.origin);
    return ips.map((address) => ({ address, target }));
  });
}

/** A port of a member: what becomes one SRV record. */
interface PortOf {
  readonly member: Member;
  readonly port: ZonePort;
}

/** A ClusterSetIP has one member, the service itself: SRV records point to its own name. */
function virtualMember({ addresses, ports }: ZoneService): readonly Member[] {
  return [{ sub: new Uint8Array(0), addresses: addressOctets(addresses), ips: [], ports }];
}

/** headlessMembers puts endpoints of one hostname in one cluster together, in an order that depends on nothing else;
 *  hostname first, so that a subset that is cut off holds endpoints of every cluster. */
function headlessMembers(endpoints: readonly ZoneEndpoint[], key: Uint8Array, shape: ZoneShape): readonly Member[] {
  const byName = new Map<string, ZoneEndpoint[]>();
  for (const endpoint of endpoints) {
    if (endpoint.addresses.length === 0) continue;
    const name = `${endpoint.hostname}.${endpoint.cluster}`.toLowerCase();
    const same = byName.get(name);
    if (same === undefined) byName.set(name, [endpoint]);
    else same.push(endpoint);
  }
  const sorted = [...byName].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([, same]): Member => {
    const sub = labelOctets([same[0]?.hostname ?? "", same[0]?.cluster ?? ""]);
    const fits = sub !== undefined && sub.length + key.length + shape.origin.length <= MAX_NAME;
    const ips = [...new Set(same.flatMap((endpoint) => endpoint.addresses))].sort();
    return {
      sub: fits ? sub : undefined,
      addresses: addressOctets(ips),
      ips,
      ports: same.flatMap((endpoint) => endpoint.ports),
    };
  });
}

/** Ports of one name and protocol, and the labels of that name. */
interface NamedPort {
  readonly labels: readonly string[];
  readonly pairs: PortOf[];
}

/** namedPorts groups by `_port._proto`. Unnamed ports have no such name. */
function namedPorts(members: readonly Member[]): Iterable<NamedPort> {
  const byName = new Map<string, NamedPort>();
  for (const member of members) {
    for (const port of member.ports) {
      if (port.name === "") continue;
      const labels = [`_${port.name}`.toLowerCase(), `_${port.protocol}`.toLowerCase()];
      const known = byName.get(labels.join("."));
      if (known === undefined) byName.set(labels.join("."), { labels, pairs: [{ member, port }] });
      else known.pairs.push({ member, port });
    }
  }
  return byName.values();
}

/** membersOf is the members that have one of these ports, each once, in their order. */
function membersOf(pairs: readonly PortOf[]): readonly Member[] {
  return [...new Set(pairs.map(({ member }) => member))];
}

/** Names collects a service's names, and the empty ones above them. */
class Names {
  readonly #key: Uint8Array;
  readonly #shape: ZoneShape;
  readonly #names = new Map<string, UnitName>();
  /** One encoded copy of equal address sets, which most `_port._proto` names share with the service. */
  readonly #sets = new Map<string, readonly RrSet[]>();
  readonly #targets = new Map<Member, Uint8Array>();
  /** The first SRV records. */
  #srv: Uint8Array | undefined;
  /** Names that cannot be encoded. */
  skipped = 0;

  constructor(key: Uint8Array, shape: ZoneShape) {
    this.#key = key;
    this.#shape = shape;
  }

  list(): readonly UnitName[] {
    return [...this.#names.values()];
  }

  /** add makes the name with the members' addresses and an SRV record for each of their ports. */
  add(labels: readonly string[], members: readonly Member[], pairs: readonly PortOf[]): void {
    const sub = labelOctets(labels);
    if (sub === undefined || sub.length + this.#key.length + this.#shape.origin.length > MAX_NAME) {
      this.skipped++;
      return;
    }
    const srv = srvSet(this.#srvTargets(pairs), {
      ttl: this.#shape.ttl,
      nameLength: sub.length + this.#key.length + this.#shape.origin.length,
      room: this.#room(sub),
    });
    const sets = [...this.#addressSets(sub, members), ...(srv === undefined ? [] : [this.#shared(srv)])];
    this.#put(sub, sets, this.#shape.compat.q2ProtocolNames === true);
  }

  /** shared lets records that are those of the service's own name be the same octets: a service with one port has them
   *  twice. */
  #shared(srv: RrSet): RrSet {
    this.#srv ??= srv.data;
    return sameOctets(this.#srv, srv.data) ? { ...srv, data: this.#srv } : srv;
  }

  /** addEndpoint makes the name of one member, `host.cluster`: addresses alone. */
  addEndpoint(sub: Uint8Array | undefined, addresses: readonly Uint8Array[]): void {
    if (sub === undefined) this.skipped++;
    else this.#put(sub, addressSets(addresses, this.#shape.ttl), this.#shape.compat.q1ClusterNames === true);
  }

  /** put enters a name, and above it the empty ones without which it would hang in the air (RFC 8020), unless it is
   *  to hang there. */
  #put(key: Uint8Array, sets: readonly RrSet[], alone: boolean): void {
    this.#names.set(latin1(key), { key, sets });
    if (key.length === 0 || alone) return;
    const parent = key.subarray(1 + (key[0] ?? 0));
    if (!this.#names.has(latin1(parent))) this.#put(parent, [], alone);
  }

  /** What a message has for records of one section, at most. */
  #room(sub: Uint8Array): number {
    return MAX_MESSAGE - HEADER - (sub.length + this.#key.length + this.#shape.origin.length) - 4 - OPT_ROOM;
  }

  /** addressSets gives the same set to all names with the same addresses: the unit then holds it once. */
  #addressSets(sub: Uint8Array, members: readonly Member[]): readonly RrSet[] {
    const fitting = subset(members, this.#room(sub));
    const cacheKey = fitting.map(latin1).join();
    const known = this.#sets.get(cacheKey);
    if (known !== undefined) return known;
    const sets = addressSets(fitting, this.#shape.ttl);
    this.#sets.set(cacheKey, sets);
    return sets;
  }

  /** A member without an address or without a name is no target: nobody could dial it. */
  #srvTargets(pairs: readonly PortOf[]): readonly SrvTarget[] {
    return pairs.flatMap(({ member, port }) => {
      if (member.addresses.length === 0 || member.sub === undefined) return [];
      let target = this.#targets.get(member);
      if (target === undefined) {
        target = concat(member.sub, this.#key, this.#shape.origin);
        this.#targets.set(member, target);
      }
      return [{ target, port: port.port, addresses: member.addresses }];
    });
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((octet, i) => octet === b[i]);
}

/** subset takes the addresses of as many members, from the first on, as fit one message in either family: A and AAAA
 *  must show the same subset (KEP-1645 DNS specification 2.4.1). */
function subset(members: readonly Member[], room: number): readonly Uint8Array[] {
  const [only] = members;
  if (only !== undefined && members.length === 1 && only.addresses.length < FEW) return only.addresses;
  const left: Record<number, number> = { 4: Math.floor(room / 16), 16: Math.floor(room / 28) };
  const addresses = new Map<string, Uint8Array>();
  for (const member of members) {
    for (const address of member.addresses) {
      left[address.length] = (left[address.length] ?? 0) - 1;
      addresses.set(latin1(address), address);
    }
    if (Object.values(left).some((records) => records < 0)) {
      for (const address of member.addresses) addresses.delete(latin1(address));
      break;
    }
  }
  return [...addresses.values()];
}
