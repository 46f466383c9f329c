import { CLASS_IN, EDE, HEADER, MAX_MESSAGE, OPTION, TYPE } from "./iana.ts";
import type { OctetSink } from "./octet-sink.ts";
import type { Query } from "./query.ts";
import type { ReplyOptions } from "./reply-options.ts";

const OPT_LENGTH = 11;
const EDE_LENGTH = 6;
/** Above this many octets a native copy is faster than a loop. */
const NATIVE_COPY = 128;

/** Reply is one message under way, written behind the query into the same memory. One is reused for all. */
export class Reply implements OctetSink {
  octets: Uint8Array = new Uint8Array(0);
  /** Where the message begins, and where it is written next. */
  start = 0;
  place = 0;
  answers = 0;
  authorities = 0;
  additionals = 0;
  authoritative = false;
  truncated = false;
  rcode = 0;
  extendedError: number = EDE.NONE;
  readonly #udpSize: number;
  readonly #options: ReplyOptions;
  #limit = 0;
  #at = 0;

  /** `udpSize` is the largest UDP message sent and the size announced. */
  constructor(udpSize: number, options: ReplyOptions) {
    this.#udpSize = udpSize;
    this.#options = options;
  }

  /** begin echoes the question of the query at `at`, octet by octet. Options are planned before. */
  begin(octets: Uint8Array, at: number, query: Query, out: number, tcp: boolean): void {
    this.octets = octets;
    this.start = out;
    this.place = out + HEADER;
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
    this.authoritative = false;
    this.truncated = false;
    this.rcode = 0;
    this.extendedError = EDE.NONE;
    this.#at = at;
    this.#limit = tcp ? MAX_MESSAGE : Math.min(this.#udpSize, query.udpSize);
    if (query.edns) this.#limit -= OPT_LENGTH + this.#options.bytes;
    this.copy(octets, at + HEADER, query.questionEnd - HEADER);
  }

  /** room is how many octets still fit, the OPT record taken off. Extended errors go with short replies only. */
  get room(): number {
    return this.#limit - (this.place - this.start);
  }

  /** copy appends octets from anywhere, the query included. */
  copy(from: Uint8Array, at: number, length: number): void {
    const { octets, place } = this;
    if (length > NATIVE_COPY) octets.set(from.subarray(at, at + length), place);
    else for (let i = 0; i < length; i++) octets[place + i] = from[at + i] as number;
    this.place = place + length;
  }

  u16(value: number): void {
    this.octets[this.place] = value >>> 8;
    this.octets[this.place + 1] = value;
    this.place += 2;
  }

  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }

  /** begin of a record: owner (a pointer), type, class, lifetime, length of data. */
  record(owner: number, type: number, ttl: number, rdLength: number): void {
    this.u16(owner);
    this.u16(type);
    this.u16(CLASS_IN);
    this.u32(ttl);
    this.u16(rdLength);
  }

  /** finish writes OPT and header and gives the message's length. RD and CD come back as asked; RA, AD and Z are 0. */
  finish(query: Query): number {
    if (query.edns) this.#opt(query);
    const { octets, start } = this;
    octets[start] = octets[this.#at] as number;
    octets[start + 1] = octets[this.#at + 1] as number;
    const askedFlags = (octets[this.#at + 2] as number) & 0x01;
    octets[start + 2] = 0x80 | (this.authoritative ? 0x04 : 0) | (this.truncated ? 0x02 : 0) | askedFlags;
    octets[start + 3] = ((octets[this.#at + 3] as number) & 0x10) | (this.rcode & 0x0f);
    const end = this.place;
    this.place = start + 4;
    this.u16(query.questionEnd === HEADER ? 0 : 1);
    this.u16(this.answers);
    this.u16(this.authorities);
    this.u16(this.additionals);
    return end - start;
  }

  /** cut makes a finished reply an empty one that says to ask by TCP; its question and options stay. */
  cut(query: Query): number {
    this.place = this.start + query.questionEnd;
    this.answers = 0;
    this.authorities = 0;
    this.additionals = 0;
    this.truncated = true;
    return this.finish(query);
  }

  /** opt says our own size and echoes DO alone; version 0, the options that were planned, and an extended error (RFC
   *  8914). */
  #opt(query: Query): void {
    const { octets } = this;
    octets[this.place++] = 0;
    this.u16(TYPE.OPT);
    this.u16(this.#udpSize);
    octets[this.place++] = this.rcode >>> 4;
    octets[this.place++] = 0;
    this.u16(query.dnssecOk ? 0x8000 : 0);
    this.u16(this.#options.bytes + (this.extendedError === EDE.NONE ? 0 : EDE_LENGTH));
    this.#options.write(this);
    if (this.extendedError !== EDE.NONE) {
      this.u16(OPTION.EDE);
      this.u16(2);
      this.u16(this.extendedError);
    }
    this.additionals++;
  }
}

/** bareReply is a header alone, for messages whose question could not be read or whose opcode is unknown. Only id and
 *  opcode come back, and RD of a query (RFC 8906 section 8.1.4: no other flag is reflected). */
export function bareReply(octets: Uint8Array, at: number, out: number, rcode: number): number {
  const flags = octets[at + 2] as number;
  const kept = (flags & 0x78) === 0 ? flags & 0x01 : flags & 0x78;
  octets[out] = octets[at] as number;
  octets[out + 1] = octets[at + 1] as number;
  octets[out + 2] = 0x80 | kept;
  octets[out + 3] = rcode;
  for (let i = 4; i < HEADER; i++) octets[out + i] = 0;
  return HEADER;
}
