import { type Cidr, contains, covers, type Ip } from "#values";
import { fixedUnits } from "./fixed-units.ts";
import { TYPE } from "./iana.ts";
import { reverseLabels, reverseOrigins, zoneLabels } from "./reverse-name.ts";
import { RrWriter, rrSet, TO_QUESTION } from "./rr-writer.ts";
import type { Unit } from "./unit.ts";
import { concat, labelOctets, latin1 } from "./wire-name.ts";
import type { ZoneShape } from "./zone.ts";
import type { ListedZone } from "./zone-list.ts";

/** Pointer says that an address is a name's. */
export interface Pointer {
  readonly address: Ip;
  /** The whole folded name with the root. */
  readonly target: Uint8Array;
}

/** Publisher is what writes units into the zone's memory; `put` is false when it is full. */
export interface Publisher {
  put(unit: Unit): boolean;
  remove(zone: number, key: Uint8Array): void;
}

/** An address or an empty name above addresses, by its text relative to its zone's origin: `7.3.2`. */
interface ReverseZone {
  readonly listed: ListedZone;
  readonly shape: ZoneShape;
  /** Addresses, each with what is known of it: several services may have the same pod. */
  readonly addresses: Map<string, readonly Owned[]>;
  /** How many addresses lie below a name, which exists while there is one (RFC 8020). */
  readonly below: Map<string, number>;
}

interface Owned {
  readonly owner: string;
  readonly target: Uint8Array;
}

/** Removals that are one step. */
const STEP = 256;
/** Octets of a PTR record before its target: owner, type, class, lifetime, length. */
const BEFORE_TARGET = 12;

/** ReverseZones keeps what PTR queries are answered from. An update costs what the addresses of the service cost that
 *  it changes: how many others there are does not matter. */
export class ReverseZones {
  readonly #publisher: Publisher;
  readonly #like: ZoneShape;
  readonly #room: number;
  readonly #owned = new Map<string, readonly Pointer[]>();
  #networks: readonly { readonly cidr: Cidr; readonly labels: number }[] = [];
  #zones = new Map<string, ReverseZone>();
  #nextId: number;

  /** Zones have the lifetime, servers and switches of `like`, and ids from `firstId` on. At most `room` octets of
   *  records are made for one address. */
  constructor(
    publisher: Publisher,
    { like, firstId, room }: { readonly like: ZoneShape; readonly firstId: number; readonly room: number },
  ) {
    this.#publisher = publisher;
    this.#like = like;
    this.#nextId = firstId;
    this.#room = room;
  }

  /** Whether any address can have a record. */
  get active(): boolean {
    return this.#networks.length > 0;
  }

  get zones(): readonly ListedZone[] {
    return [...this.#zones.values()].map(({ listed }) => listed);
  }

  /** setNetworks takes the networks to answer for, in steps; `listed` is called when the zones of before are to be
   *  left out and the new ones are complete but for their addresses, which come with the services. */
  *setNetworks(networks: readonly Cidr[], listed: () => boolean): Generator<void, boolean> {
    const before = this.#zones;
    // A network within another has its addresses in the other's zones: no zone lies in a zone.
    const widest = networks.filter((cidr, at) =>
      networks.every((other, i) => i === at || !covers(other, cidr) || (other === cidr && at < i)),
    );
    this.#networks = widest.map((cidr) => ({ cidr, labels: zoneLabels(cidr) }));
    this.#zones = new Map();
    let fits = true;
    for (const labels of widest.flatMap(reverseOrigins)) {
      const text = labels.join(".");
      const zone = before.get(text) ?? this.#newZone(labels);
      this.#zones.set(text, zone);
      if (!before.has(text)) for (const unit of fixedUnits(zone.shape, true)) fits = this.#publisher.put(unit) && fits;
    }
    fits = listed() && fits;
    for (const [text, zone] of before) if (!this.#zones.has(text)) yield* this.#clear(zone);
    yield* this.#forgetOutside();
    return fits;
  }

  /** put says all that an owner's addresses are; false when the memory is full. Readers see each address as it was or
   *  as it is to be: one that has another name now is at no time without. */
  put(owner: string, pointers: readonly Pointer[]): boolean {
    const ours = pointers.filter(({ address }) => this.#zoneOf(address) !== undefined);
    const had = byAddress(this.#owned.get(owner) ?? []);
    if (ours.length > 0) this.#owned.set(owner, ours);
    else this.#owned.delete(owner);
    const wanted = byAddress(ours);
    let fits = true;
    for (const [address, targets] of wanted) {
      if (had.get(address)?.map(latin1).join() === targets.map(latin1).join()) continue;
      fits = this.#set(owner, address, targets) && fits;
    }
    for (const address of had.keys()) if (!wanted.has(address)) this.#set(owner, address, []);
    return fits;
  }

  remove(owner: string): void {
    this.put(owner, []);
  }

  #newZone(labels: readonly string[]): ReverseZone {
    const id = this.#nextId++;
    const origin = concat(labelOctets(labels) ?? new Uint8Array(0), Uint8Array.of(0));
    const listed = { id, origin, labels: labels.length, reverse: true };
    const shape = { ...this.#like, id, origin, originLabels: labels.length };
    return { listed, shape, addresses: new Map(), below: new Map() };
  }

  /** zoneOf finds an address's zone and its labels below the zone's origin. */
  #zoneOf(address: Ip): { readonly zone: ReverseZone; readonly labels: readonly string[] } | undefined {
    for (const { cidr, labels } of this.#networks) {
      if (!contains(cidr, address)) continue;
      const all = reverseLabels(address);
      const zone = this.#zones.get(all.slice(all.length - labels).join("."));
      if (zone !== undefined) return { zone, labels: all.slice(0, all.length - labels) };
    }
    return undefined;
  }

  /** set gives an address an owner's names, none included. The empty names above it come before it and go after it. */
  #set(owner: string, address: Ip, targets: readonly Uint8Array[]): boolean {
    const place = this.#zoneOf(address);
    if (place === undefined) return true;
    const { zone, labels } = place;
    const name = labels.join(".");
    const known = zone.addresses.get(name) ?? [];
    const all = known.filter((one) => one.owner !== owner);
    for (const target of targets) all.push({ owner, target });
    if (all.length > 0) {
      zone.addresses.set(name, all);
      const above = known.length > 0 || this.#raise(zone, labels);
      return this.#publisher.put(unitOf(zone.shape, labels, this.#records(all))) && above;
    }
    if (known.length > 0) {
      zone.addresses.delete(name);
      this.#unlink(zone, labels);
      this.#lower(zone, labels);
    }
    return true;
  }

  #raise(zone: ReverseZone, labels: readonly string[]): boolean {
    let fits = true;
    for (let i = labels.length - 1; i > 0; i--) {
      const above = labels.slice(i);
      const count = zone.below.get(above.join(".")) ?? 0;
      zone.below.set(above.join("."), count + 1);
      if (count === 0) fits = this.#publisher.put(unitOf(zone.shape, above, [])) && fits;
    }
    return fits;
  }

  #lower(zone: ReverseZone, labels: readonly string[]): void {
    for (let i = 1; i < labels.length; i++) {
      const above = labels.slice(i).join(".");
      const count = (zone.below.get(above) ?? 0) - 1;
      if (count > 0) zone.below.set(above, count);
      else if (zone.below.delete(above)) this.#unlink(zone, labels.slice(i));
    }
  }

  /** One record per name, each once, in an order that does not depend on who came first. */
  #records(all: readonly Owned[]): ReturnType<typeof rrSet>[] {
    const targets = new Map(all.map(({ target }) => [latin1(target), target]));
    const writer = new RrWriter();
    for (const [, target] of [...targets].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      if (writer.length + BEFORE_TARGET + target.length > this.#room) continue;
      writer.begin(TO_QUESTION, TYPE.PTR, this.#like.ttl, target.length).octets(target);
    }
    return [rrSet(TYPE.PTR, writer)];
  }

  *#clear(zone: ReverseZone): Generator<void> {
    let done = 0;
    for (const names of [zone.addresses.keys(), zone.below.keys()]) {
      for (const name of names) {
        this.#unlink(zone, name.split("."));
        if (++done % STEP === 0) yield;
      }
    }
    for (const { key } of fixedUnits(zone.shape, true)) this.#publisher.remove(zone.shape.id, key);
  }

  /** What lies in no zone any more is not an owner's any more. */
  *#forgetOutside(): Generator<void> {
    let done = 0;
    for (const [owner, pointers] of this.#owned) {
      const inside = pointers.filter(({ address }) => this.#known(address, owner));
      if (inside.length === 0) this.#owned.delete(owner);
      else if (inside.length < pointers.length) this.#owned.set(owner, inside);
      if (++done % STEP === 0) yield;
    }
  }

  /** Whether an address is still in the zone that it was put into. */
  #known(address: Ip, owner: string): boolean {
    const place = this.#zoneOf(address);
    return place?.zone.addresses.get(place.labels.join("."))?.some((one) => one.owner === owner) === true;
  }

  #unlink(zone: ReverseZone, labels: readonly string[]): void {
    this.#publisher.remove(zone.shape.id, labelOctets(labels) ?? new Uint8Array(0));
  }
}

function unitOf({ id }: ZoneShape, labels: readonly string[], sets: readonly ReturnType<typeof rrSet>[]): Unit {
  return { zone: id, key: labelOctets(labels) ?? new Uint8Array(0), names: [{ key: new Uint8Array(0), sets }] };
}

function byAddress(pointers: readonly Pointer[]): ReadonlyMap<Ip, readonly Uint8Array[]> {
  const found = new Map<Ip, Uint8Array[]>();
  for (const { address, target } of pointers) {
    const known = found.get(address);
    if (known === undefined) found.set(address, [target]);
    else known.push(target);
  }
  return found;
}
