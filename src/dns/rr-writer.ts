import { type Ip, ipBytes } from "#values";
import { CLASS_IN, TYPE } from "./iana.ts";
import type { RrSet } from "./unit.ts";

const NOTHING = new Uint8Array(0);
/** A compression pointer to the question's name, which begins behind the header. */
export const TO_QUESTION = 0xc00c;
/** The furthest place a compression pointer can say (RFC 1035 section 4.1.4). */
export const MAX_POINTER = 0x3fff;

/** Buffers of writers that are done: a zone of 10,000 services would otherwise make a garbage buffer per set. */
const spare: Uint8Array[] = [];
const MAX_SPARE = 8;

/** RrWriter collects records in wire form. take ends it. */
export class RrWriter {
  #octets = spare.pop() ?? new Uint8Array(1024);
  length = 0;
  count = 0;

  /** begin writes owner (a pointer), type, class, lifetime and the length of what follows. */
  begin(owner: number, type: number, ttl: number, rdLength: number): this {
    this.count++;
    return this.u16(owner).u16(type).u16(CLASS_IN).u32(ttl).u16(rdLength);
  }

  u16(value: number): this {
    this.#room(2);
    this.#octets[this.length++] = value >>> 8;
    this.#octets[this.length++] = value;
    return this;
  }

  u32(value: number): this {
    return this.u16(value >>> 16).u16(value & 0xffff);
  }

  octets(octets: Uint8Array): this {
    this.#room(octets.length);
    this.#octets.set(octets, this.length);
    this.length += octets.length;
    return this;
  }

  /** address writes an A or an AAAA record. */
  address(owner: number, ttl: number, address: Uint8Array): this {
    return this.begin(owner, address.length === 4 ? TYPE.A : TYPE.AAAA, ttl, address.length).octets(address);
  }

  /** take gives what was written; the writer is of no use afterwards. */
  take(): Uint8Array {
    const taken = this.length === 0 ? NOTHING : this.#octets.slice(0, this.length);
    if (spare.length < MAX_SPARE) spare.push(this.#octets);
    this.#octets = NOTHING;
    return taken;
  }

  /** room makes sure that more octets fit. */
  #room(more: number): void {
    if (this.length + more <= this.#octets.length) return;
    const larger = new Uint8Array((this.length + more) * 2);
    larger.set(this.#octets.subarray(0, this.length));
    this.#octets = larger;
  }
}

/** rrSet makes a set of what was written. */
export function rrSet(type: number, answer: RrWriter, additional?: RrWriter): RrSet {
  return {
    type,
    count: answer.count,
    data: answer.take(),
    additionalCount: additional?.count ?? 0,
    additional: additional?.take() ?? NOTHING,
  };
}

/** addressOctets gives addresses in wire form, each once (RFC 2181 section 5: a set has no duplicates). */
export function addressOctets(addresses: Iterable<Ip>): readonly Uint8Array[] {
  return [...new Set(addresses)].map(ipBytes);
}

/** addressSets makes the A and the AAAA set at a name; a family without an address has no set. */
export function addressSets(addresses: readonly Uint8Array[], ttl: number): readonly RrSet[] {
  const sets: RrSet[] = [];
  for (const [type, length] of [
    [TYPE.A, 4],
    [TYPE.AAAA, 16],
  ] as const) {
    if (!addresses.some((address) => address.length === length)) continue;
    const writer = new RrWriter();
    for (const address of addresses) if (address.length === length) writer.address(TO_QUESTION, ttl, address);
    sets.push(rrSet(type, writer));
  }
  return sets;
}
