import { hashOctets, sameFolded, zoneSeed } from "./hash.ts";
import type { Query } from "./query.ts";
import { NAME, NO_TABLE, SET, SLOT_WORDS, UNIT } from "./unit.ts";
import type { ZoneShape } from "./zone.ts";
import { type ListedZone, readZones } from "./zone-list.ts";
import { HEAD, type ZoneMemory } from "./zone-memory.ts";
import { findUnit } from "./zone-table.ts";

/** Labels of the longest key of a forward zone's unit: service, namespace, `svc`. */
const UNIT_LABELS = 3;

/** ZoneReader finds names. It allocates nothing; the caller has entered the zone (zone-memory.ts). */
export class ZoneReader {
  readonly memory: ZoneMemory;
  readonly shape: ZoneShape;
  /** Where the origin begins in the name last seen to be in the zone, relative to the message. */
  originAt = 0;
  /** Whether the origin was spelt with capitals there. */
  mixedCase = false;
  /** That zone. */
  zone: ListedZone = { id: 0, origin: new Uint8Array(0), labels: 0, reverse: false };
  /** Forward zones first, which most queries ask for; the longest first, since zones may lie in each other. */
  #zones: readonly ListedZone[] = [];
  #version = 0;

  constructor(memory: ZoneMemory, shape: ZoneShape) {
    this.memory = memory;
    this.shape = shape;
  }

  /** Whether absence is known: until the first sync it is not. */
  get synced(): boolean {
    return Atomics.load(this.memory.words, HEAD.synced) !== 0;
  }

  /** The SOA's serial, unsigned. */
  get serial(): number {
    return Atomics.load(this.memory.words, HEAD.serial) >>> 0;
  }

  /** inZone finds the zone whose origin the question's name is, or is below; false where there is none. */
  inZone(octets: Uint8Array, at: number, query: Query): boolean {
    const version = Atomics.load(this.memory.words, HEAD.zonesVersion);
    if (version !== this.#version) this.#readZones(version);
    const zones = this.#zones;
    for (let i = 0; i < zones.length; i++) {
      const zone = zones[i] as ListedZone;
      if (query.labels >= zone.labels && this.#isIn(octets, at, query, zone)) return true;
    }
    return false;
  }

  #isIn(octets: Uint8Array, at: number, query: Query, zone: ListedZone): boolean {
    const { origin } = zone;
    const start = query.labelAt[query.labels - zone.labels] as number;
    if (query.questionEnd - 4 - start !== origin.length) return false;
    if (!sameFolded(octets, at + start, origin.length, origin, 0)) return false;
    this.zone = zone;
    this.originAt = start;
    this.mixedCase = false;
    for (let i = 0; i < origin.length; i++) {
      if (octets[at + start + i] !== origin[i]) {
        this.mixedCase = true;
        break;
      }
    }
    return true;
  }

  /** The one place that allocates: the list changes when the configuration does. */
  #readZones(version: number): void {
    const order = (zone: ListedZone): number => zone.labels - (zone.reverse ? 128 : 0);
    this.#zones = readZones(this.memory).toSorted((a, b) => order(b) - order(a));
    this.#version = version;
  }

  /** findName gives the word of the name that the question asks for, or 0: it does not exist. */
  findName(octets: Uint8Array, at: number, query: Query): number {
    const { id, labels, reverse } = this.zone;
    const seed = zoneSeed(this.memory.words[HEAD.seed] as number, id);
    const above = reverse ? 0 : Math.max(0, query.labels - labels - UNIT_LABELS);
    const unitAt = at + (query.labelAt[above] as number);
    const unitEnd = at + this.originAt;
    const hash = hashOctets(seed, octets, unitAt, unitEnd);
    const unit = findUnit(this.memory, id, hash, octets, unitAt, unitEnd - unitAt);
    return unit === 0 ? 0 : this.#findBelow(octets, at + (query.labelAt[0] as number), unitAt, unit);
  }

  /** findBelow looks for the labels left of a unit's key in the unit's own table. */
  #findBelow(octets: Uint8Array, start: number, end: number, unit: number): number {
    const { words, bytes } = this.memory;
    const length = end - start;
    const mask = words[unit + UNIT.mask] as number;
    if (mask === NO_TABLE) return this.#findAmongFew(octets, start, length, unit);
    const hash = hashOctets(words[HEAD.seed] as number, octets, start, end);
    const slots = unit + UNIT.words;
    let slot = hash & mask;
    for (let tried = 0; tried <= mask; tried++) {
      const at = slots + slot * SLOT_WORDS;
      const name = words[at + 1] as number;
      if (name === 0) return 0;
      if (words[at] === hash && words[name + NAME.keyLength] === length) {
        if (sameFolded(octets, start, length, bytes, words[name + NAME.keyAt] as number)) return name;
      }
      slot = (slot + 1) & mask;
    }
    return 0;
  }

  /** findAmongFew looks at one name of a unit after the other. */
  #findAmongFew(octets: Uint8Array, start: number, length: number, unit: number): number {
    const { words, bytes } = this.memory;
    let name = unit + UNIT.words;
    for (let left = words[unit + UNIT.names] as number; left > 0; left--) {
      if (words[name + NAME.keyLength] === length) {
        if (sameFolded(octets, start, length, bytes, words[name + NAME.keyAt] as number)) return name;
      }
      name += NAME.words + (words[name + NAME.sets] as number) * SET.words;
    }
    return 0;
  }

  /** hasRecords reports whether a name is more than an empty non-terminal. */
  hasRecords(name: number): boolean {
    return this.memory.words[name + NAME.sets] !== 0;
  }

  /** findSet gives the word of a name's set of a type, or 0. */
  findSet(name: number, type: number): number {
    const { words } = this.memory;
    let set = name + NAME.words;
    for (let left = words[name + NAME.sets] as number; left > 0; left--) {
      if (words[set + SET.type] === type) return set;
      set += SET.words;
    }
    return 0;
  }
}
