import { type DnsAnswer, type DnsRecord, decodeAnswer } from "./answer-text.ts";
import { Answerer } from "./answerer.ts";
import { MAX_MESSAGE, typeNumber } from "./iana.ts";
import { concat, encodeName } from "./wire-name.ts";
import { type ZoneOptions, type ZoneService, zoneShape, zoneShapes } from "./zone.ts";
import { ZoneBuilder } from "./zone-builder.ts";
import { createZoneMemory, type ZoneMemory } from "./zone-memory.ts";
import { ZoneReader } from "./zone-reader.ts";

/** For the tests of this room: messages made octet by octet, and a zone that answers them without a socket. */

export interface MessageOptions {
  readonly id?: number;
  /** Octets 2 and 3 of the header: flags, opcode, code. */
  readonly flags?: number;
  readonly class?: number;
  /** OPT: size, version, flags, option octets. */
  readonly edns?: {
    readonly size?: number;
    readonly version?: number;
    readonly flags?: number;
    readonly options?: Uint8Array;
  };
  /** More OPT-like or other records behind it, and the four counts where they should lie. */
  readonly tail?: Uint8Array;
  readonly counts?: readonly [number, number, number, number];
}

export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x80, Z: 0x40, AD: 0x20, CD: 0x10 } as const;

export function octets16(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [(value >>> 8) & 255, value & 255]));
}

/** nameOf encodes a name in presentation form and keeps its case. */
export function nameOf(text: string): Uint8Array {
  const name = encodeName(text);
  if (!name.ok) throw new Error(name.error);
  return name.value;
}

export function optRecord(opt: MessageOptions["edns"] = {}): Uint8Array {
  const { size = 1232, version = 0, flags = 0, options = new Uint8Array(0) } = opt;
  return concat(Uint8Array.of(0), octets16(41, size, version, flags, options.length), options);
}

/** message makes a query; a name given as octets goes in as it is. */
export function message(name: string | Uint8Array, type: string | number, o: MessageOptions = {}): Uint8Array {
  const opt = o.edns === undefined ? new Uint8Array(0) : optRecord(o.edns);
  const counts = o.counts ?? [1, 0, 0, o.edns === undefined ? 0 : 1];
  const number = typeof type === "number" ? type : (typeNumber(type) ?? Number.NaN);
  return concat(
    octets16(o.id ?? 0x1234, o.flags ?? 0, ...counts),
    typeof name === "string" ? nameOf(name) : name,
    octets16(number, o.class ?? 1),
    opt,
    o.tail ?? new Uint8Array(0),
  );
}

/** Asked is a reply: decoded, its records as zone text, and its header's flags. */
export interface Asked extends Omit<DnsAnswer, "answers" | "authorities" | "additionals"> {
  readonly answers: readonly string[];
  readonly authorities: readonly string[];
  readonly additionals: readonly string[];
  readonly octets: Uint8Array;
  /** Header octets 2 and 3 without response code and opcode. */
  readonly flags: number;
  readonly opcode: number;
}

export interface Testbed {
  readonly builder: ZoneBuilder;
  readonly memory: ZoneMemory;
  readonly answerer: Answerer;
  /** raw gives the reply's octets; none: silence. */
  raw(query: Uint8Array, tcp?: boolean): Uint8Array;
  send(query: Uint8Array, tcp?: boolean): Asked;
  ask(name: string, type: string | number, options?: MessageOptions & { readonly tcp?: boolean }): Asked;
}

export const ZONE: ZoneOptions = { origin: "clusterset.local", ttl: 5, serverAddresses: [] };

/** testbed builds a zone with services in it, synced, serial 1000. */
export function testbed(services: readonly ZoneService[] = [], options: Partial<ZoneOptions> = {}): Testbed {
  const shapes = zoneShapes({ ...ZONE, ...options });
  const shape = zoneShape({ ...ZONE, ...options });
  const memory = createZoneMemory(64 << 20, 0x5eed);
  const builder = new ZoneBuilder(memory, shapes);
  for (const service of services) builder.put(service);
  builder.setSynced(true);
  builder.setSerial(1000);
  const answerer = new Answerer(new ZoneReader(memory, shape), 7);
  const octets = new Uint8Array(4 * MAX_MESSAGE);
  const raw = (query: Uint8Array, tcp = false): Uint8Array => {
    // Queries lie anywhere in a listener's memory, with another's octets behind them.
    octets.fill(0xc1);
    octets.set(query, 100);
    const out = 100 + MAX_MESSAGE;
    return octets.slice(out, out + answerer.answer(octets, 100, query.length, out, tcp));
  };
  const send = (query: Uint8Array, tcp = false): Asked => asked(raw(query, tcp));
  return {
    builder,
    memory,
    answerer,
    raw,
    send,
    ask: (name, type, { tcp = false, ...rest } = {}) => send(message(name, type, rest), tcp),
  };
}

/** asked decodes a reply; one that cannot be decoded fails the test. */
export function asked(octets: Uint8Array): Asked {
  const answer = decodeAnswer(octets);
  if (!answer.ok) throw new Error(`${answer.error}: ${octets.toHex()}`);
  const text = ({ name, ttl, type, data }: DnsRecord): string => `${name} ${ttl} ${type} ${data}`;
  const header = new DataView(octets.buffer, octets.byteOffset).getUint16(2);
  return {
    ...answer.value,
    answers: answer.value.answers.map(text),
    authorities: answer.value.authorities.map(text),
    additionals: answer.value.additionals.map(text),
    octets,
    flags: header & 0x87f0,
    opcode: (header >>> 11) & 15,
  };
}
