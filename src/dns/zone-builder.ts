import { Arena } from "./arena.ts";
import { fixedUnits, namespaceUnit } from "./fixed-units.ts";
import { serviceKey, serviceUnit } from "./service-unit.ts";
import { type Unit, unitBytes, writeUnit } from "./unit.ts";
import { labelOctets } from "./wire-name.ts";
import type { ZoneService, ZoneShape } from "./zone.ts";
import { HEAD, openZone, type ZoneMemory } from "./zone-memory.ts";
import { ZoneTable } from "./zone-table.ts";

/** ZoneBuilder is the one writer of a zone. Each call is one step, visible to readers as a whole when it returns. */
export class ZoneBuilder {
  readonly #memory: ZoneMemory;
  readonly #shape: ZoneShape;
  readonly #arena: Arena;
  readonly #table: ZoneTable;
  /** Names of services by namespace: a namespace exists while a service is in it. */
  readonly #services = new Map<string, Set<string>>();
  #namespaces: ReadonlySet<string> = new Set();

  /** The memory is fresh; the zone's fixed names are written at once. */
  constructor(memory: ZoneMemory, shape: ZoneShape) {
    this.#memory = memory;
    this.#shape = shape;
    this.#arena = new Arena(memory);
    this.#table = new ZoneTable(memory, this.#arena);
    for (const unit of fixedUnits(shape)) {
      if (!this.#put(unit)) throw new RangeError(`zone memory is too small: ${memory.bytes.length} bytes`);
    }
  }

  /** put makes a service answer as given; false when the memory is full, and then it answers as before. */
  put(service: ZoneService): boolean {
    const { namespace, name } = service;
    const unit = serviceUnit(service, this.#shape);
    // The namespace is there before what is in it: RFC 8020, no name below one that does not exist.
    if (!this.#addTo(namespace, name)) return false;
    if (unit !== undefined) return this.#put(unit);
    this.#removeUnit(namespace, name);
    return true;
  }

  /** remove makes a service's names not exist; the service before its namespace (RFC 8020). */
  remove(namespace: string, name: string): void {
    this.#removeUnit(namespace, name);
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
  }

  /** put writes a unit where nobody looks yet, then publishes it. */
  #put(unit: Unit): boolean {
    const bytes = unitBytes(unit);
    const block = this.#arena.alloc(bytes);
    if (block === undefined) return false;
    writeUnit(this.#memory, block, unit, this.#memory.words[HEAD.seed] as number);
    const fits = this.#table.put(block);
    if (!fits) this.#arena.retire(block, bytes);
    return fits;
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
    const unit = namespaceUnit(namespace);
    return unit === undefined || this.#put(unit);
  }

  /** A namespace goes when nothing is in it and nobody says that it exists. */
  #dropNamespace(namespace: string): void {
    if (this.#namespaces.has(namespace) || this.#services.has(namespace)) return;
    const key = labelOctets([namespace, "svc"]);
    if (key !== undefined) this.#table.remove(key);
  }

  #removeUnit(namespace: string, name: string): void {
    const key = serviceKey(namespace, name);
    if (key !== undefined) this.#table.remove(key);
  }
}
