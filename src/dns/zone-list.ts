import { HEAD, type ZoneMemory } from "./zone-memory.ts";

/** ListedZone is one zone that the memory answers for. */
export interface ListedZone {
  readonly id: number;
  /** The folded origin with the root. */
  readonly origin: Uint8Array;
  readonly labels: number;
  /** Whether its units are single names, as in `in-addr.arpa`, and not services with all that is below them. */
  readonly reverse: boolean;
}

/** The list is a block of the arena: word 0 how many, then these words for each zone, and behind all words the
 *  origins. Readers that are blocked in a system call find a new list with their next query, as they do the table:
 *  its offset is stored first, then the version by which they notice it. */
const ZONE = { id: 0, labels: 1, reverse: 2, length: 3, at: 4, words: 5 } as const;

/** listBytes is the size of the block that writeZones fills. */
export function listBytes(zones: readonly ListedZone[]): number {
  return 4 + zones.reduce((sum, { origin }) => sum + ZONE.words * 4 + origin.length, 0);
}

/** writeZones fills a block that no reader knows of yet, and publishes it. */
export function writeZones({ words, bytes }: ZoneMemory, block: number, zones: readonly ListedZone[]): void {
  let word = block >> 2;
  words[word++] = zones.length;
  let octet = block + 4 + zones.length * ZONE.words * 4;
  for (const { id, labels, reverse, origin } of zones) {
    words.set([id, labels, Number(reverse), origin.length, octet], word);
    bytes.set(origin, octet);
    word += ZONE.words;
    octet += origin.length;
  }
  Atomics.store(words, HEAD.zones, block >> 2);
  Atomics.add(words, HEAD.zonesVersion, 1);
}

/** readZones copies the list that is in force. The caller has entered the zone (zone-memory.ts). */
export function readZones({ words, bytes }: ZoneMemory): readonly ListedZone[] {
  const list = Atomics.load(words, HEAD.zones);
  if (list === 0) return [];
  return Array.from({ length: words[list] as number }, (_, i) => {
    const word = list + 1 + i * ZONE.words;
    const at = words[word + ZONE.at] as number;
    return {
      id: words[word + ZONE.id] as number,
      labels: words[word + ZONE.labels] as number,
      reverse: words[word + ZONE.reverse] !== 0,
      origin: bytes.slice(at, at + (words[word + ZONE.length] as number)),
    };
  });
}
