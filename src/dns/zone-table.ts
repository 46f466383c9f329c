import type { Arena } from "./arena.ts";
import { hashOctets, sameFolded, zoneSeed } from "./hash.ts";
import { UNIT } from "./unit.ts";
import { HEAD, type ZoneMemory } from "./zone-memory.ts";

/** The table of units: open addressing, word 0 the mask, then slots of two words: hash of the unit's key, and the
 *  unit's word offset; 0 is an empty slot, 1 one whose unit was removed (no unit lies there: the head does). */
const EMPTY = 0;
const REMOVED = 1;
const FIRST_SLOTS = 1024;

/** findUnit gives the word of the unit in a zone whose key the octets spell, or 0. For writer and readers; it does not
 *  look twice at a slot, since the writer may change it meanwhile. */
export function findUnit(
  memory: ZoneMemory,
  zone: number,
  hash: number,
  octets: Uint8Array,
  from: number,
  length: number,
): number {
  const { words, bytes } = memory;
  const table = Atomics.load(words, HEAD.table);
  if (table === 0) return 0;
  const mask = words[table] as number;
  // A table is never full: an empty slot ends every search.
  for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
    const at = table + 1 + slot * 2;
    const unit = Atomics.load(words, at + 1);
    if (unit === EMPTY) return 0;
    if (unit === REMOVED || words[at] !== hash || words[unit + UNIT.keyLength] !== length) continue;
    if (words[unit + UNIT.zone] !== zone) continue;
    if (sameFolded(octets, from, length, bytes, words[unit + UNIT.keyAt] as number)) return unit;
  }
}

/** ZoneTable is the one writer's side of the table. */
export class ZoneTable {
  readonly #memory: ZoneMemory;
  readonly #arena: Arena;
  /** Units, and slots that are not empty: removed ones lengthen searches until the next rebuild. */
  #units = 0;
  #taken = 0;

  constructor(memory: ZoneMemory, arena: Arena) {
    this.#memory = memory;
    this.#arena = arena;
  }

  /** put publishes a written unit (its offset in octets) instead of the one with the same key; false when the
   *  memory is full. */
  put(block: number): boolean {
    const { words, bytes } = this.#memory;
    const unit = block >> 2;
    const hash = this.#hashOf(unit);
    const zone = words[unit + UNIT.zone] as number;
    const old = findUnit(this.#memory, zone, hash, bytes, words[unit + UNIT.keyAt] as number, words[unit] as number);
    if (old === 0 && !this.#makeRoom()) return false;
    Atomics.add(words, HEAD.names, words[unit + UNIT.names] as number);
    if (old === 0) this.#insert(Atomics.load(words, HEAD.table), hash, unit);
    else this.#replace(hash, old, unit);
    return true;
  }

  /** remove unlinks the unit of a zone whose key the octets spell, if there is one. */
  remove(zone: number, key: Uint8Array): void {
    const hash = hashOctets(zoneSeed(this.#memory.words[HEAD.seed] as number, zone), key, 0, key.length);
    const unit = findUnit(this.#memory, zone, hash, key, 0, key.length);
    if (unit === 0) return;
    this.#units--;
    this.#replace(hash, unit, REMOVED);
  }

  /** replace swaps what a slot holds, by one store. */
  #replace(hash: number, old: number, next: number): void {
    const { words } = this.#memory;
    const table = Atomics.load(words, HEAD.table);
    const mask = words[table] as number;
    let slot = hash & mask;
    while (words[table + 2 + slot * 2] !== old) slot = (slot + 1) & mask;
    Atomics.store(words, table + 2 + slot * 2, next);
    this.#retire(old);
  }

  /** retire gives a unit's block back once nobody looks at it. */
  #retire(unit: number): void {
    const { words } = this.#memory;
    Atomics.sub(words, HEAD.names, words[unit + UNIT.names] as number);
    this.#arena.retire(unit * 4, words[unit + UNIT.bytes] as number);
  }

  /** A unit's own key, in its block, is what is hashed. */
  #hashOf(unit: number): number {
    const { words, bytes } = this.#memory;
    const at = words[unit + UNIT.keyAt] as number;
    const seed = zoneSeed(words[HEAD.seed] as number, words[unit + UNIT.zone] as number);
    return hashOctets(seed, bytes, at, at + (words[unit + UNIT.keyLength] as number));
  }

  /** insert fills the first slot free for it: the hash first, then, atomically, what makes it count. */
  #insert(table: number, hash: number, unit: number): void {
    const { words } = this.#memory;
    const mask = words[table] as number;
    let slot = hash & mask;
    while ((words[table + 2 + slot * 2] as number) > REMOVED) slot = (slot + 1) & mask;
    const at = table + 1 + slot * 2;
    if (words[at + 1] === EMPTY) this.#taken++;
    words[at] = hash;
    Atomics.store(words, at + 1, unit);
    this.#units++;
  }

  /** makeRoom builds a new table when more than half of the slots are taken, and publishes it by one store. */
  #makeRoom(): boolean {
    const { words } = this.#memory;
    const old = Atomics.load(words, HEAD.table);
    const slots = old === 0 ? 0 : (words[old] as number) + 1;
    if ((this.#taken + 1) * 2 <= slots) return true;
    const size = Math.max(FIRST_SLOTS, 2 ** Math.ceil(Math.log2((this.#units + 1) * 3)));
    const block = this.#arena.alloc(4 + size * 8);
    if (block === undefined) return false;
    const table = block >> 2;
    words[table] = size - 1;
    words.fill(EMPTY, table + 1, table + 1 + size * 2);
    this.#taken = 0;
    this.#units = 0;
    for (let at = old + 1; at < old + 1 + slots * 2; at += 2) {
      const unit = words[at + 1] as number;
      if (unit > REMOVED) this.#insert(table, words[at] as number, unit);
    }
    Atomics.store(words, HEAD.table, table);
    if (old !== 0) this.#arena.retire(old * 4, 4 + slots * 8);
    return true;
  }
}
