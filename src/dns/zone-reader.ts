import { hashOctets, sameFolded } from "./hash.ts";
import type { Query } from "./query.ts";
import { NAME, SET, SLOT_WORDS, UNIT } from "./unit.ts";
import type { ZoneShape } from "./zone.ts";
import { HEAD, type ZoneMemory } from "./zone-memory.ts";
import { findUnit } from "./zone-table.ts";

/** Labels of the longest key of a unit: service, namespace, `svc`. */
const UNIT_LABELS = 3;

/** ZoneReader finds names. It allocates nothing; the caller has entered the zone (zone-memory.ts). */
export class ZoneReader {
  readonly memory: ZoneMemory;
  readonly shape: ZoneShape;
  /** Where the origin begins in the name last seen to be in the zone, relative to the message. */
  originAt = 0;
  /** Whether the origin was spelt with capitals there. */
  mixedCase = false;

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

  /** inZone reports whether the question's name is the origin or below it. */
  inZone(octets: Uint8Array, at: number, query: Query): boolean {
    const { origin, originLabels } = this.shape;
    if (query.labels < originLabels) return false;
    const start = query.labelAt[query.labels - originLabels] as number;
    if (query.questionEnd - 4 - start !== origin.length) return false;
    if (!sameFolded(octets, at + start, origin.length, origin, 0)) return false;
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

  /** findName gives the word of the name that the question asks for, or 0: it does not exist. */
  findName(octets: Uint8Array, at: number, query: Query): number {
    const seed = this.memory.words[HEAD.seed] as number;
    const below = query.labels - this.shape.originLabels;
    const unitAt = at + (query.labelAt[Math.max(0, below - UNIT_LABELS)] as number);
    const unitEnd = at + this.originAt;
    const unit = findUnit(this.memory, hashOctets(seed, octets, unitAt, unitEnd), octets, unitAt, unitEnd - unitAt);
    return unit === 0 ? 0 : this.#findBelow(octets, at + (query.labelAt[0] as number), unitAt, unit);
  }

  /** findBelow looks for the labels left of a unit's key in the unit's own table. */
  #findBelow(octets: Uint8Array, start: number, end: number, unit: number): number {
    const { words, bytes } = this.memory;
    const length = end - start;
    const hash = hashOctets(words[HEAD.seed] as number, octets, start, end);
    const mask = words[unit + UNIT.mask] as number;
    const slots = words[unit + UNIT.slots] as number;
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
