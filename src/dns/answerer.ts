import { ACCESS, type Access } from "./access-list.ts";
import { CLASS_IN, EDE, RCODE, TYPE } from "./iana.ts";
import type { ListenerWatch } from "./listener-watch.ts";
import { Query, VERDICT } from "./query.ts";
import { bareReply, Reply } from "./reply.ts";
import { TO_QUESTION } from "./rr-writer.ts";
import { soaTemplate, writeSoa } from "./soa.ts";
import { SET } from "./unit.ts";
import type { ZoneReader } from "./zone-reader.ts";

/** HINFO "RFC8482" "": the whole answer to ANY (RFC 8482 section 4.2). */
const HINFO_DATA = Uint8Array.from([7, ...Buffer.from("RFC8482", "latin1"), 0]);
/** Owner (a pointer), type, class, TTL and RDLENGTH of a record. */
const RR_FIXED = 12;

/** Answerer turns one query into one reply, from the zone alone. It never throws on any octets, and allocates nothing
 *  for replies below the size of a native copy. */
export class Answerer {
  /** Of the last reply, for the counters: its code, -1 where there was none. */
  rcode = -1;
  /** Who may ask, what is counted and logged; undefined where nobody cares. */
  watch: ListenerWatch | undefined;
  readonly #zone: ZoneReader;
  readonly #query = new Query();
  readonly #reply = new Reply();
  readonly #soa: Uint8Array;
  #random: number;
  /** The zone that the query is for; -1: none. */
  #zoneId = -1;
  /** Whether an access list wants no reply. */
  #silent = false;

  /** `seed` starts the order of addresses; it need not be secret. */
  constructor(zone: ZoneReader, seed: number) {
    this.#zone = zone;
    this.#soa = soaTemplate(zone.shape.ttl);
    this.#random = seed | 1;
  }

  /** Whether the last reply was cut (TC). */
  get truncated(): boolean {
    return this.#reply.truncated;
  }

  /** answer reads `length` octets at `at`, writes the reply at `out` of the same memory and gives its length; 0 means
   *  silence. A UDP reply is at most 1232 octets, a TCP reply 65,535. */
  answer(octets: Uint8Array, at: number, length: number, out: number, tcp: boolean): number {
    const query = this.#query;
    const reply = this.#reply;
    reply.truncated = false;
    const verdict = query.read(octets, at, length);
    if (verdict === VERDICT.answer) {
      reply.begin(octets, at, query, out, tcp);
      this.#lookUp(octets, at);
      return this.#watched(octets, at, length, out, this.#silent ? 0 : reply.finish(query));
    } else {
      if (verdict === VERDICT.silence) return this.#coded(-1, 0);
      if (verdict === VERDICT.noQuestion) return this.#coded(RCODE.FORMERR, bareReply(octets, at, out, RCODE.FORMERR));
      if (verdict === VERDICT.notImplemented) {
        return this.#coded(RCODE.NOTIMP, bareReply(octets, at, out, RCODE.NOTIMP));
      }
      reply.begin(octets, at, query, out, tcp);
      reply.rcode = verdict === VERDICT.badVersion ? RCODE.BADVERS : RCODE.FORMERR;
    }
    return this.#coded(reply.rcode, reply.finish(query));
  }

  /** watched tells of a well-formed query, whatever came of it. */
  #watched(octets: Uint8Array, at: number, length: number, out: number, replied: number): number {
    this.rcode = replied === 0 ? -1 : this.#reply.rcode;
    this.watch?.note(octets, at, length, out, replied, this.#query, this.#reply.rcode, this.#zoneId);
    return replied;
  }

  /** coded remembers the reply's code for the counters. */
  #coded(rcode: number, length: number): number {
    this.rcode = rcode;
    return length;
  }

  /** lookUp decides in the order that tells least to strangers: not ours, not allowed, not there, and then the name. */
  #lookUp(octets: Uint8Array, at: number): void {
    const query = this.#query;
    const zone = this.#zone;
    this.#zoneId = -1;
    this.#silent = false;
    if (query.class !== CLASS_IN || !zone.inZone(octets, at, query)) {
      this.#refuse(EDE.NOT_AUTHORITATIVE);
      return;
    }
    this.#zoneId = zone.zone.id;
    const access = this.watch === undefined ? ACCESS.allow : this.watch.judge(octets, at, query, this.#zoneId);
    if (access !== ACCESS.allow) {
      this.#deny(access);
    } else if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) {
      this.#refuse(EDE.NOT_SUPPORTED);
    } else {
      const name = zone.findName(octets, at, query);
      if (name === 0) this.#unknownName();
      else this.#knownName(octets, at, name);
    }
  }

  /** deny does what an access list says: a refusal, an answer without records, or nothing (RFC 8914, 17 and 18). */
  #deny(access: Access): void {
    if (access === ACCESS.block) this.#refuse(EDE.PROHIBITED);
    else if (access === ACCESS.filter) this.#reply.extendedError = EDE.FILTERED;
    else this.#silent = true;
  }

  #refuse(extendedError: number): void {
    this.#reply.rcode = RCODE.REFUSED;
    this.#reply.extendedError = extendedError;
  }

  /** Until the sources were read once, nothing is known to be absent (RFC 8914, 14 Not Ready). */
  #unknownName(): void {
    const reply = this.#reply;
    const { synced, shape } = this.#zone;
    const hidden = this.#query.type === TYPE.SOA && shape.compat.q4SoaBelowApex === true;
    reply.rcode = !synced ? RCODE.SERVFAIL : hidden ? RCODE.NOERROR : RCODE.NXDOMAIN;
    reply.authoritative = synced;
    if (!synced) reply.extendedError = EDE.NOT_READY;
    this.#negative();
  }

  /** The SOA is made per reply, since its serial changes with every update; ANY gets one record, whatever there is;
   *  every other type is looked for, and missing means NODATA. */
  #knownName(octets: Uint8Array, at: number, name: number): void {
    const { type, labels } = this.#query;
    const zone = this.#zone;
    const reply = this.#reply;
    reply.authoritative = true;
    const apex = labels === zone.zone.labels;
    if (type === TYPE.ANY && (apex || zone.hasRecords(name))) {
      reply.record(TO_QUESTION, TYPE.HINFO, zone.shape.ttl, HINFO_DATA.length);
      reply.copy(HINFO_DATA, 0, HINFO_DATA.length);
      reply.answers = 1;
    } else if (type === TYPE.SOA && apex) {
      writeSoa(reply, this.#soa, zone.originAt, zone.serial);
      reply.answers = 1;
    } else {
      const set = zone.findSet(name, type);
      if (set === 0) this.#noRecord(name, apex);
      else this.#positive(octets, at, set);
    }
  }

  /** A name without a record of the type exists, except where CoreDNS says otherwise and is to be followed. */
  #noRecord(name: number, apex: boolean): void {
    const { type } = this.#query;
    const { compat } = this.#zone.shape;
    const hideText = type === TYPE.TXT && compat.q3EmptyText === true && (apex || !this.#zone.hasRecords(name));
    const hideServer = type === TYPE.NS && apex && compat.q5NoApexServer === true;
    if (hideText || hideServer) this.#reply.rcode = RCODE.NXDOMAIN;
    this.#negative();
  }

  /** SOA in Authority says how long the absence may be kept (RFC 2308 section 3). */
  #negative(): void {
    writeSoa(this.#reply, this.#soa, this.#zone.originAt, this.#zone.serial);
    this.#reply.authorities = 1;
  }

  /** positive copies a ready-made set, as much as fits, and its glue if all of it fits. */
  #positive(octets: Uint8Array, at: number, set: number): void {
    const { words, bytes } = this.#zone.memory;
    const reply = this.#reply;
    const length = words[set + SET.dataLength] as number;
    const dataAt = words[set + SET.dataAt] as number;
    const count = words[set + SET.count] as number;
    const answerAt = reply.place;
    const type = this.#query.type;
    if (type === TYPE.A || type === TYPE.AAAA) this.#addresses(bytes, dataAt, length, count);
    else this.#records(bytes, dataAt, length, count);
    if (type === TYPE.SRV && this.#zone.mixedCase) this.#respell(octets, at, answerAt);
    const additional = words[set + SET.additionalLength] as number;
    // Glue points into a whole answer, so there is none behind one that was cut. Lost glue is no truncation
    // (RFC 2181 section 9).
    if (reply.truncated || additional === 0 || additional > reply.room) return;
    reply.copy(bytes, words[set + SET.additionalAt] as number, additional);
    reply.additionals = words[set + SET.additionalCount] as number;
  }

  /** addresses begins at a random record, so that clients that take the first one spread. All have one size. */
  #addresses(bytes: Uint8Array, dataAt: number, length: number, count: number): void {
    const reply = this.#reply;
    const size = length / count;
    const fit = Math.min(count, Math.floor(reply.room / size));
    const first = count === 1 ? 0 : this.#next() % count;
    const beforeWrap = Math.min(fit, count - first);
    reply.copy(bytes, dataAt + first * size, beforeWrap * size);
    reply.copy(bytes, dataAt, (fit - beforeWrap) * size);
    reply.answers = fit;
    reply.truncated = fit < count;
  }

  /** records copies whole records in their order, as many as fit. */
  #records(bytes: Uint8Array, dataAt: number, length: number, count: number): void {
    const reply = this.#reply;
    let taken = length;
    let fit = count;
    if (length > reply.room) {
      taken = 0;
      for (fit = 0; fit < count; fit++) {
        const at = dataAt + taken;
        const size = RR_FIXED + (((bytes[at + 10] as number) << 8) | (bytes[at + 11] as number));
        if (taken + size > reply.room) break;
        taken += size;
      }
    }
    reply.copy(bytes, dataAt, taken);
    reply.answers = fit;
    reply.truncated = fit < count;
  }

  /** respell gives targets the asker's spelling of the origin, as CoreDNS does: every SRV target ends with it. */
  #respell(octets: Uint8Array, at: number, answerAt: number): void {
    const reply = this.#reply;
    const { origin } = this.#zone.zone;
    let end = answerAt;
    for (let i = 0; i < reply.answers; i++) {
      end += RR_FIXED + (((reply.octets[end + 10] as number) << 8) | (reply.octets[end + 11] as number));
      for (let j = 0; j < origin.length; j++) {
        reply.octets[end - origin.length + j] = octets[at + this.#zone.originAt + j] as number;
      }
    }
  }

  /** xorshift32 (G. Marsaglia, 2003): a counter would keep in step with clients that ask for A and AAAA in turn. */
  #next(): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x;
    return x >>> 0;
  }
}
