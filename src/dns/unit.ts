import { hashOctets } from "./hash.ts";
import type { ZoneMemory } from "./zone-memory.ts";

/** RrSet is the records of one type at one name, as they go into a message behind its question: each owner is the
 *  pointer c00c to the question, so the asker's spelling comes back (RFC 4343), and nothing is left to compute. */
export interface RrSet {
  readonly type: number;
  readonly count: number;
  readonly data: Uint8Array;
  /** Records for the Additional section, all or none of which are sent. */
  readonly additionalCount: number;
  readonly additional: Uint8Array;
}

/** UnitName is a name and its records; none: an empty non-terminal (RFC 8020). */
export interface UnitName {
  /** The folded labels to the left of the unit's key, without the root; empty for the unit's own name. */
  readonly key: Uint8Array;
  readonly sets: readonly RrSet[];
}

/** Unit is what changes as one: a service with all names below it, one of the zone's fixed names, or one address. */
export interface Unit {
  /** The zone's id: the same key may be in several. */
  readonly zone: number;
  /** The folded labels from the unit's own name to the origin: at most three, but all of them in a reverse zone. */
  readonly key: Uint8Array;
  readonly names: readonly UnitName[];
}

/** Places of a unit's words, of a name's and of a set's. Octet places are offsets into the zone's memory. */
export const UNIT = { keyLength: 0, keyAt: 1, mask: 2, slots: 3, names: 4, bytes: 5, zone: 6, words: 7 } as const;
export const NAME = { keyLength: 0, keyAt: 1, sets: 2, words: 3 } as const;
export const SET = {
  type: 0,
  count: 1,
  dataAt: 2,
  dataLength: 3,
  additionalCount: 4,
  additionalAt: 5,
  additionalLength: 6,
  words: 7,
} as const;
/** A slot of a unit's table: hash of the name's key, word offset of the name or 0. */
export const SLOT_WORDS = 2;

/** slotCount is the size of a unit's table: a power of two, at most half full. */
function slotCount(names: number): number {
  return names <= 1 ? 1 : 2 ** Math.ceil(Math.log2(names * 2));
}

/** wordCount is what comes before the octets. */
function wordCount(unit: Unit): number {
  const sets = unit.names.reduce((sum, name) => sum + name.sets.length, 0);
  return UNIT.words + slotCount(unit.names.length) * SLOT_WORDS + unit.names.length * NAME.words + sets * SET.words;
}

/** unitBytes is the size of the block that writeUnit fills. Data that several sets share counts once. */
export function unitBytes(unit: Unit): number {
  const shared = new Set<Uint8Array>();
  let octets = unit.key.length;
  for (const name of unit.names) {
    octets += name.key.length;
    for (const set of name.sets) {
      shared.add(set.data);
      shared.add(set.additional);
    }
  }
  for (const data of shared) octets += data.length;
  return wordCount(unit) * 4 + octets;
}

/** writeUnit lays a unit out in a block that no reader knows of yet. */
export function writeUnit(memory: ZoneMemory, block: number, unit: Unit, seed: number): void {
  new UnitWriter(memory, block, unit).write(seed);
}

/** A unit's block, in order: its words (UNIT), the table of its names (slots), the names (NAME) each with its sets
 *  (SET), and behind all words the octets: keys and records. Octets have no alignment; words lie at multiples of four. */
class UnitWriter {
  readonly #memory: ZoneMemory;
  readonly #unit: Unit;
  readonly #block: number;
  readonly #places = new Map<Uint8Array, number>();
  #word: number;
  #octet: number;

  constructor(memory: ZoneMemory, block: number, unit: Unit) {
    this.#memory = memory;
    this.#unit = unit;
    this.#block = block;
    this.#word = block >> 2;
    this.#octet = block + wordCount(unit) * 4;
  }

  write(seed: number): void {
    const { bytes } = this.#memory;
    const slots = slotCount(this.#unit.names.length);
    const keyAt = this.#put(this.#unit.key);
    const slotsAt = (this.#block >> 2) + UNIT.words;
    this.#push(this.#unit.key.length, keyAt, slots - 1, slotsAt, this.#unit.names.length, unitBytes(this.#unit));
    this.#push(this.#unit.zone);
    this.#memory.words.fill(0, slotsAt, slotsAt + slots * SLOT_WORDS);
    this.#word += slots * SLOT_WORDS;
    for (const name of this.#unit.names) {
      const at = this.#name(name);
      const nameAt = this.#memory.words[at + NAME.keyAt] ?? 0;
      this.#link(slotsAt, slots - 1, hashOctets(seed, bytes, nameAt, nameAt + name.key.length), at);
    }
  }

  /** name writes one name with its sets and gives its word. */
  #name({ key, sets }: UnitName): number {
    const at = this.#word;
    this.#push(key.length, this.#put(key), sets.length);
    for (const { type, count, data, additionalCount, additional } of sets) {
      this.#push(type, count, this.#put(data), data.length, additionalCount);
      this.#push(this.#put(additional), additional.length);
    }
    return at;
  }

  /** link enters a name in the unit's table by linear probing; the table is never more than half full. */
  #link(slots: number, mask: number, hash: number, name: number): void {
    const { words } = this.#memory;
    let slot = hash & mask;
    while (words[slots + slot * SLOT_WORDS + 1] !== 0) slot = (slot + 1) & mask;
    words[slots + slot * SLOT_WORDS] = hash;
    words[slots + slot * SLOT_WORDS + 1] = name;
  }

  #push(...values: readonly number[]): void {
    for (const value of values) this.#memory.words[this.#word++] = value;
  }

  /** put gives the place of octets, and writes them unless they were written before. */
  #put(octets: Uint8Array): number {
    const known = this.#places.get(octets);
    if (known !== undefined) return known;
    const at = this.#octet;
    this.#memory.bytes.set(octets, at);
    this.#octet += octets.length;
    this.#places.set(octets, at);
    return at;
  }
}
