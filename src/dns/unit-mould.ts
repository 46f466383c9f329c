import { type Ip, ipBytes } from "#values";
import { serviceUnit } from "./service-unit.ts";
import { NO_TABLE, UNIT, unitBytes, writeUnit } from "./unit.ts";
import type { ZoneService, ZoneShape } from "./zone.ts";
import type { ZoneMemory } from "./zone-memory.ts";

const [ZEROS, ONES] = ["0.0.0.0", "255.255.255.255"] as [Ip, Ip];
/** Where a trial is laid, and where again to find the words that say a place. */
const HERE = 0;
const THERE = 64;

/** UnitMould makes units of services that have one form: lengths of name and namespace, ports, and one IPv4 address.
 *  Their blocks differ in nothing but these three and in the places that they say, so ten thousand of them need no
 *  encoding each.
 *
 *  What lies where it finds out by trial: units of services that differ in one thing are written, and compared. So
 *  service-unit.ts and unit.ts alone know what a unit looks like. */
export class UnitMould {
  /** The size of a block. */
  readonly bytes: number;
  readonly #block: Uint8Array;
  /** Words that say a place in the zone's memory, relative to the block. */
  readonly #places: Uint32Array;
  readonly #names: Uint32Array;
  readonly #namespaces: Uint32Array;
  readonly #addresses: Uint32Array;

  private constructor(
    block: Uint8Array,
    differing: Readonly<Record<"moved" | "named" | "spaced" | "at", Uint32Array>>,
  ) {
    this.bytes = block.length;
    this.#block = block;
    this.#places = differing.moved;
    this.#names = differing.named;
    this.#namespaces = differing.spaced;
    this.#addresses = differing.at;
  }

  /** of makes the mould of a service's form; undefined where units of that form differ in more than it knows of. */
  static of(service: ZoneService, shape: ZoneShape): UnitMould | undefined {
    const { name, namespace } = service;
    const plain = { ...service, name: "a".repeat(name.length), namespace: "a".repeat(namespace.length) };
    const trial = { ...plain, addresses: [ZEROS] };
    const block = drawn(trial, shape, HERE);
    const moved = drawn(trial, shape, THERE);
    const named = drawn({ ...trial, name: "b".repeat(name.length) }, shape, HERE);
    const spaced = drawn({ ...trial, namespace: "b".repeat(namespace.length) }, shape, HERE);
    const at = drawn({ ...trial, addresses: [ONES] }, shape, HERE);
    if (!block || !moved || !named || !spaced || !at) return undefined;
    const places = {
      moved: movedWords(block, moved),
      named: runs(block, named, name.length),
      spaced: runs(block, spaced, namespace.length),
      at: runs(block, at, 4),
    };
    if (!places.moved || !places.named || !places.spaced || !places.at) return undefined;
    return new UnitMould(block, places as { readonly [place in keyof typeof places]: Uint32Array });
  }

  /** stamp fills a block that no reader knows of yet, for a service of this form. */
  stamp({ bytes, words }: ZoneMemory, block: number, { name, namespace, addresses }: ZoneService): void {
    bytes.set(this.#block, block);
    for (const word of this.#places) words[(block >> 2) + word] = (words[(block >> 2) + word] ?? 0) + block;
    for (const at of this.#names) spell(bytes, block + at, name);
    for (const at of this.#namespaces) spell(bytes, block + at, namespace);
    const address = ipBytes(addresses[0] ?? ZEROS);
    for (const at of this.#addresses) bytes.set(address, block + at);
  }
}

function spell(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i += 1) bytes[at + i] = text.charCodeAt(i);
}

/** drawn is a service's unit as it lies at a place; undefined where there is none, a name of it is left out, or
 *  its table depends on the seed. */
function drawn(service: ZoneService, shape: ZoneShape, block: number): Uint8Array | undefined {
  const { unit, skipped } = serviceUnit(service, shape);
  if (unit === undefined || skipped > 0) return undefined;
  const shared = new SharedArrayBuffer(block + Math.ceil(unitBytes(unit) / 4) * 4);
  const memory = { shared, bytes: new Uint8Array(shared), words: new Int32Array(shared) };
  writeUnit(memory, block, unit, 0);
  return memory.words[(block >> 2) + UNIT.mask] === NO_TABLE
    ? memory.bytes.slice(block, block + unitBytes(unit))
    : undefined;
}

/** movedWords is the words that grew by as much as the block was moved; undefined where anything else changed. */
function movedWords(here: Uint8Array, there: Uint8Array): Uint32Array | undefined {
  if (here.length !== there.length) return undefined;
  const [a, b] = [here, there].map((block) => new Int32Array(block.buffer, 0, block.length >> 2));
  const moved = [...(a ?? []).keys()].filter((at) => a?.[at] !== b?.[at]);
  const octets = here.subarray(here.length & ~3).every((octet, i) => octet === there[(here.length & ~3) + i]);
  return octets && moved.every((at) => (b?.[at] ?? 0) - (a?.[at] ?? 0) === THERE - HERE)
    ? Uint32Array.from(moved)
    : undefined;
}

/** runs is where two blocks differ, by runs of one length; undefined where a difference is of another. */
function runs(a: Uint8Array, b: Uint8Array, length: number): Uint32Array | undefined {
  const starts: number[] = [];
  if (a.length !== b.length) return undefined;
  for (let at = 0; at < a.length; at += 1) {
    if (a[at] === b[at]) continue;
    for (const end = at + length; at < end; at += 1) if (a[at] === b[at]) return undefined;
    starts.push(at - length);
    at -= 1;
  }
  return Uint32Array.from(starts);
}
