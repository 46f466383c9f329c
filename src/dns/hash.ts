import { FOLD } from "./wire-name.ts";

/** hashOctets hashes folded octets: FNV-1a from a secret seed, then mixed so that the low bits choose a slot well.
 *  Both of its users, the writer's tables and the readers' look-ups, hash encoded labels. */
export function hashOctets(seed: number, octets: Uint8Array, from: number, to: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ (FOLD[octets[i] as number] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

/** zoneSeed keeps equal keys of several zones apart in the one table that all zones share. */
export function zoneSeed(seed: number, zone: number): number {
  return seed ^ Math.imul(zone, 0x9e3779b1);
}

/** sameFolded reports whether octets equal a folded key. */
export function sameFolded(octets: Uint8Array, from: number, length: number, folded: Uint8Array, at: number): boolean {
  for (let i = 0; i < length; i++) {
    if (FOLD[octets[from + i] as number] !== folded[at + i]) return false;
  }
  return true;
}
