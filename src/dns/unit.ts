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

/** Places of a unit's words, of a name's and of a set's. Octet places are offsets into the zone's memory. A set's counts
 *  and lengths are two to a word, answers in the low half and additional records in the high: a message has at most
 *  65,535 octets of either. */
export const UNIT = { keyLength: 0, keyAt: 1, names: 2, bytes: 3, zone: 4, mask: 5, words: 6 } as const;
export const NAME = { keyLength: 0, keyAt: 1, sets: 2, words: 3 } as const;
export const SET = { type: 0, counts: 1, lengths: 2, dataAt: 3, additionalAt: 4, words: 5 } as const;
/** A slot of a unit's table: hash of the name's key, word offset of the name or 0. The table is right behind the unit's
 *  own words. */
export const SLOT_WORDS = 2;
/** The mask of a unit without a table. */
export const NO_TABLE = -1;
/** So few names are compared one by one, as quickly as a table finds them: nearly all services have no more. */
const FEW_NAMES = 6;

/** slotCount is the size of a unit's table: a power of two, at most half full. */
function slotCount(names: number): number {
  return names <= FEW_NAMES ? 0 : 2 ** Math.ceil(Math.log2(names * 2));
}

/** wordCount is what comes before the octets. */
function wordCount({ names }: Unit): number {
  let words = UNIT.words + slotCount(names.length) * SLOT_WORDS + names.length * NAME.words;
  for (const { sets } of names) words += sets.length * SET.words;
  return words;
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
  readonly #places = new Map<Uint8Array, number>();
  #word: number;
  #octet: number;

  constructor(memory: ZoneMemory, block: number, unit: Unit) {
    this.#memory = memory;
    this.#unit = unit;
    this.#word = block >> 2;
    this.#octet = block + wordCount(unit) * 4;
  }

  write(seed: number): void {
    const { key, names, zone } = this.#unit;
    const { bytes, words } = this.#memory;
    const slots = slotCount(names.length);
    const slotsAt = this.#word + UNIT.words;
    this.#push(key.length);
    this.#push(this.#put(key));
    this.#push(names.length);
    this.#push(unitBytes(this.#unit));
    this.#push(zone);
    this.#push(slots === 0 ? NO_TABLE : slots - 1);
    if (slots > 0) words.fill(0, slotsAt, slotsAt + slots * SLOT_WORDS);
    this.#word += slots * SLOT_WORDS;
    for (const name of names) {
      const at = this.#name(name);
      const nameAt = words[at + NAME.keyAt] ?? 0;
      if (slots > 0) this.#link(slotsAt, slots - 1, hashOctets(seed, bytes, nameAt, nameAt + name.key.length), at);
    }
  }

  /** name writes one name with its sets and gives its word. */
  #name({ key, sets }: UnitName): number {
    const at = this.#word;
    this.#push(key.length);
    this.#push(this.#put(key));
    this.#push(sets.length);
    for (const { type, count, data, additionalCount, additional } of sets) {
      this.#push(type);
      this.#push(count | (additionalCount << 16));
      this.#push(data.length | (additional.length << 16));
      this.#push(this.#put(data));
      this.#push(this.#put(additional));
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

  #push(value: number): void {
    this.#memory.words[this.#word++] = value;
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
