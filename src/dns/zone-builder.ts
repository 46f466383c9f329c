import type { Cidr } from "#values";
import { Arena } from "./arena.ts";
import { fixedUnits, namespaceUnit } from "./fixed-units.ts";
import { HEADER, MAX_MESSAGE } from "./iana.ts";
import { ReverseZones } from "./reverse-zones.ts";
import { serviceKey, serviceUnit } from "./service-unit.ts";
import { SkippedNames } from "./skipped-names.ts";
import { type Unit, unitBytes, writeUnit } from "./unit.ts";
import { UnitMoulds } from "./unit-moulds.ts";
import { labelOctets, MAX_NAME } from "./wire-name.ts";
import type { ZoneService, ZoneShape } from "./zone.ts";
import { type ListedZone, listBytes, writeZones } from "./zone-list.ts";
import { HEAD, openZone, type ZoneMemory } from "./zone-memory.ts";
import { ZoneTable } from "./zone-table.ts";

/** What a PTR answer has for records: a TCP message less header, question and OPT. */
const PTR_ROOM = MAX_MESSAGE - HEADER - MAX_NAME - 4 - 64;

/** ZoneBuilder is the one writer of the zones in a memory. Each call is one step, visible to readers as a whole when it
 *  returns. Every forward zone has every service, with records of its own, since they name the zone they are in. */
export class ZoneBuilder {
  readonly #memory: ZoneMemory;
  readonly #shapes: readonly ZoneShape[];
  readonly #arena: Arena;
  readonly #table: ZoneTable;
  readonly #reverse: ReverseZones;
  readonly #moulds: UnitMoulds;
  readonly #skipped = new SkippedNames();
  /** Where a service's names are: below `svc`, and where CoreDNS's external plugin has them as well. */
  readonly #kinds: readonly string[];
  /** Names of services by namespace: a namespace exists while a service is in it. */
  readonly #services = new Map<string, Set<string>>();
  #namespaces: ReadonlySet<string> = new Set();
  #list: number | undefined;
  #listBytes = 0;

  /** The memory is fresh; the zones' fixed names are written at once. */
  constructor(memory: ZoneMemory, shapes: readonly ZoneShape[]) {
    const [first] = shapes;
    if (first === undefined) throw new RangeError("there must be a zone");
    this.#memory = memory;
    this.#shapes = shapes;
    this.#moulds = new UnitMoulds(shapes);
    this.#arena = new Arena(memory);
    this.#table = new ZoneTable(memory, this.#arena);
    this.#kinds = first.compat.q6PodNames ? ["svc", "pod"] : ["svc"];
    const publisher = {
      put: (unit: Unit) => this.#put(unit),
      remove: (zone: number, key: Uint8Array) => this.#table.remove(zone, key),
    };
    this.#reverse = new ReverseZones(publisher, { like: first, firstId: shapes.length, room: PTR_ROOM });
    const fits = shapes.flatMap((shape) => fixedUnits(shape)).every((unit) => this.#put(unit));
    if (!fits || !this.#publishList()) throw new RangeError(`zone memory is too small: ${memory.bytes.length} bytes`);
  }

  /** Names that were left out, in words; empty where there are none. */
  get skipped(): string {
    return this.#skipped.text;
  }

  /** put makes a service answer as given; false when the memory is full, and then what did not fit answers as before. */
  put(service: ZoneService): boolean {
    const { namespace, name } = service;
    const stamped = this.#stamp(service);
    if (stamped !== undefined) return stamped;
    const made = this.#shapes.map((shape) => serviceUnit(service, shape));
    const id = `${namespace}/${name}`;
    this.#skipped.set(
      id,
      made.reduce((sum, { skipped }) => sum + skipped, 0),
    );
    // The namespace is there before what is in it: RFC 8020, no name below one that does not exist.
    if (!this.#addTo(namespace, name)) return false;
    let fits = true;
    for (const { unit } of made) fits = (unit === undefined || this.#putUnit(unit, service)) && fits;
    if (made[0]?.unit === undefined) {
      this.#reverse.remove(id);
      this.#removeUnits(namespace, name);
      return fits;
    }
    return (!this.#reverse.active || this.#reverse.put(id, made[0].pointers())) && fits;
  }

  /** remove makes a service's names not exist; the service before its namespace (RFC 8020). */
  remove(namespace: string, name: string): void {
    this.#reverse.remove(`${namespace}/${name}`);
    this.#skipped.set(`${namespace}/${name}`, 0);
    this.#removeUnits(namespace, name);
    const names = this.#services.get(namespace);
    if (names?.delete(name) !== true) return;
    Atomics.sub(this.#memory.words, HEAD.services, 1);
    if (names.size > 0) return;
    this.#services.delete(namespace);
    this.#dropNamespace(namespace);
  }

  /** setNamespaces tells which namespaces exist although nothing is in them; false when the memory is full. */
  setNamespaces(names: readonly string[]): boolean {
    const before = this.#namespaces;
    this.#namespaces = new Set(names);
    for (const name of before) this.#dropNamespace(name);
    let fits = true;
    for (const name of this.#namespaces) {
      if (!before.has(name) && !this.#services.has(name)) fits = this.#putNamespace(name) && fits;
    }
    return fits;
  }

  /** setReverse takes the networks whose addresses have PTR records, in steps; false when the memory is full. The
   *  services' own addresses come when they are put again. */
  *setReverse(networks: readonly Cidr[]): Generator<void, boolean> {
    return yield* this.#reverse.setNetworks(networks, () => this.#publishList());
  }

  /** setSynced tells whether what is not in the zone is absent. A zone that is complete is open to its listeners. */
  setSynced(synced: boolean): void {
    Atomics.store(this.#memory.words, HEAD.synced, synced ? 1 : 0);
    if (synced) openZone(this.#memory);
  }

  /** setSerial takes a serial of 32 bits; one that is not ahead (RFC 1982) is ignored. */
  setSerial(serial: number): void {
    const { words } = this.#memory;
    const old = Atomics.load(words, HEAD.serial);
    if (old === 0 || ((serial - old) | 0) > 0) Atomics.store(words, HEAD.serial, serial | 0);
  }

  /** endBatch takes back the memory of what was replaced and that nobody looks at. */
  endBatch(): void {
    this.#arena.reclaim();
    Atomics.store(this.#memory.words, HEAD.usedBytes, this.#arena.usedBytes);
    Atomics.store(this.#memory.words, HEAD.skipped, this.#skipped.names);
  }

  #putUnit(unit: Unit, { namespace, name }: ZoneService): boolean {
    return this.#kinds.every((kind) => {
      // Both kinds have three letters, so that every place within the records is the same.
      const key = kind === "svc" ? unit.key : serviceKey(namespace, name, kind);
      return key === undefined || this.#put({ ...unit, key });
    });
  }

  /** stamp is put for the usual service, which is like many others; undefined for any other. */
  #stamp(service: ZoneService): boolean | undefined {
    const moulds = this.#kinds.length === 1 ? this.#moulds.of(service) : undefined;
    if (moulds === undefined) return undefined;
    const { namespace, name } = service;
    const id = `${namespace}/${name}`;
    this.#skipped.set(id, 0);
    if (!this.#addTo(namespace, name)) return false;
    let fits = true;
    for (const mould of moulds) {
      fits = this.#publish(mould.bytes, (block) => mould.stamp(this.#memory, block, service)) && fits;
    }
    if (this.#reverse.active) this.#reverse.remove(id);
    return fits;
  }

  #put(unit: Unit): boolean {
    const seed = this.#memory.words[HEAD.seed] as number;
    return this.#publish(unitBytes(unit), (block) => writeUnit(this.#memory, block, unit, seed));
  }

  /** publish has a unit written where nobody looks yet, then links it. */
  #publish(bytes: number, write: (block: number) => void): boolean {
    const block = this.#arena.alloc(bytes);
    if (block === undefined) return false;
    write(block);
    const fits = this.#table.put(block);
    if (!fits) this.#arena.retire(block, bytes);
    return fits;
  }

  /** publishList tells readers which zones there are. */
  #publishList(): boolean {
    const forward = this.#shapes.map(({ id, origin, originLabels }): ListedZone => {
      return { id, origin, labels: originLabels, reverse: false };
    });
    const zones = [...forward, ...this.#reverse.zones];
    const bytes = listBytes(zones);
    const block = this.#arena.alloc(bytes);
    if (block === undefined) return false;
    writeZones(this.#memory, block, zones);
    if (this.#list !== undefined) this.#arena.retire(this.#list, this.#listBytes);
    this.#list = block;
    this.#listBytes = bytes;
    return true;
  }

  /** addTo counts a service in its namespace, which it makes exist. */
  #addTo(namespace: string, name: string): boolean {
    const names = this.#services.get(namespace);
    if (names?.has(name) === true) return true;
    if (names !== undefined) names.add(name);
    else {
      if (!this.#namespaces.has(namespace) && !this.#putNamespace(namespace)) return false;
      this.#services.set(namespace, new Set([name]));
    }
    Atomics.add(this.#memory.words, HEAD.services, 1);
    return true;
  }

  #putNamespace(namespace: string): boolean {
    return this.#shapes.every((shape) =>
      this.#kinds.every((kind) => {
        const unit = namespaceUnit(shape, namespace, kind);
        return unit === undefined || this.#put(unit);
      }),
    );
  }

  /** A namespace goes when nothing is in it and nobody says that it exists. */
  #dropNamespace(namespace: string): void {
    if (this.#namespaces.has(namespace) || this.#services.has(namespace)) return;
    this.#removeKeys((kind) => labelOctets([namespace, kind]));
  }

  #removeUnits(namespace: string, name: string): void {
    this.#removeKeys((kind) => serviceKey(namespace, name, kind));
  }

  #removeKeys(keyOf: (kind: string) => Uint8Array | undefined): void {
    for (const kind of this.#kinds) {
      const key = keyOf(kind);
      if (key !== undefined) for (const { id } of this.#shapes) this.#table.remove(id, key);
    }
  }
}
