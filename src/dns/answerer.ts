import { ACCESS, type Access } from "./access-list.ts";
import { Asker } from "./asker.ts";
import { COOKIE } from "./cookies.ts";
import { hashOctets } from "./hash.ts";
import { CLASS_IN, EDE, HEADER, RCODE, TYPE } from "./iana.ts";
import type { ListenerWatch } from "./listener-watch.ts";
import { type PacketPath, plainPath } from "./packet-path.ts";
import { Query, VERDICT, type Verdict } from "./query.ts";
import { JUDGEMENT, KIND, type Kind } from "./rate-limiter.ts";
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
  /** Who asks: set before each message. */
  readonly asker = new Asker();
  readonly #zone: ZoneReader;
  readonly #path: PacketPath;
  readonly #query: Query;
  readonly #reply: Reply;
  readonly #soa: Uint8Array;
  #random: number;
  /** The zone that the query is for; -1: none. */
  #zoneId = -1;
  /** Whether an access list wants no reply. */
  #silent = false;

  /** `seed` starts the order of addresses; it need not be secret. */
  constructor(zone: ZoneReader, seed: number, path: PacketPath = plainPath()) {
    this.#zone = zone;
    this.#path = path;
    this.#query = new Query(path);
    this.#reply = new Reply(path.udpSize, path.options);
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
    this.#reply.truncated = false;
    const verdict = this.#query.read(octets, at, length);
    if (verdict === VERDICT.silence) {
      this.rcode = -1;
      return 0;
    }
    const replied = this.#replyTo(verdict, octets, at, out, tcp);
    const free = tcp || replied === 0 || this.#path.limiter === undefined;
    const sent = free ? replied : this.#limited(octets, at, verdict, replied);
    if (verdict === VERDICT.answer) {
      this.watch?.note(octets, at, length, out, sent, this.#query, this.#reply.rcode, this.#zoneId);
    }
    return sent;
  }

  /** replyTo writes the reply to a message that gets one, and remembers its code for the counters. */
  #replyTo(verdict: Verdict, octets: Uint8Array, at: number, out: number, tcp: boolean): number {
    if (verdict === VERDICT.noQuestion || verdict === VERDICT.notImplemented) {
      this.rcode = verdict === VERDICT.noQuestion ? RCODE.FORMERR : RCODE.NOTIMP;
      return bareReply(octets, at, out, this.rcode);
    }
    const query = this.#query;
    const reply = this.#reply;
    const { options } = this.#path;
    this.#zoneId = -1;
    this.#silent = false;
    options.plan(octets, at, query, this.asker, tcp);
    reply.begin(octets, at, query, out, tcp);
    // A TCP connection proves its address by itself (RFC 7873 section 5.2.3).
    const forged = options.cookie === COOKIE.bad && (!tcp || verdict === VERDICT.cookieOnly);
    if (verdict === VERDICT.malformed) reply.rcode = RCODE.FORMERR;
    else if (verdict === VERDICT.badVersion) reply.rcode = RCODE.BADVERS;
    else if (forged) reply.rcode = RCODE.BADCOOKIE;
    else if (verdict === VERDICT.answer) this.#lookUp(octets, at);
    if (this.#silent) this.rcode = -1;
    else this.rcode = reply.rcode;
    return this.#silent ? 0 : reply.finish(query);
  }

  /** limited holds a UDP reply back where a network gets too many like it. Who showed a good cookie is not limited, nor
   *  are forwarders' health checks, `. NS`: to be marked as down would hurt more than a reply as short as its query. */
  #limited(octets: Uint8Array, at: number, verdict: Verdict, length: number): number {
    const { limiter, options } = this.#path;
    const query = this.#query;
    const whole = verdict !== VERDICT.noQuestion && verdict !== VERDICT.notImplemented;
    if (limiter === undefined || (whole && options.cookie === COOKIE.valid)) return length;
    if (verdict === VERDICT.answer && query.labels === 0 && query.type === TYPE.NS) return length;
    let kind: Kind = KIND.error;
    let subject = 0;
    if (this.rcode === RCODE.NXDOMAIN) kind = KIND.nxdomain;
    else if (this.rcode === RCODE.NOERROR) {
      kind = KIND.response;
      subject = hashOctets(query.type, octets, at + HEADER, at + query.questionEnd - 4);
    }
    const judgement = limiter.judge(this.asker, kind, subject);
    if (judgement === JUDGEMENT.send) return length;
    if (judgement === JUDGEMENT.drop) {
      this.rcode = -1;
      this.#reply.truncated = false;
      return 0;
    }
    // An error is as short as a cut reply, and asking again by TCP would not mend it.
    return kind === KIND.error ? length : this.#reply.cut(query);
  }

  /** lookUp decides in the order that tells least to strangers: not ours, not allowed, not there, and then the name. */
  #lookUp(octets: Uint8Array, at: number): void {
    const query = this.#query;
    const zone = this.#zone;
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
    const lengths = words[set + SET.lengths] as number;
    const counts = words[set + SET.counts] as number;
    const length = lengths & 0xffff;
    const dataAt = words[set + SET.dataAt] as number;
    const count = counts & 0xffff;
    const answerAt = reply.place;
    const type = this.#query.type;
    if (type === TYPE.A || type === TYPE.AAAA) this.#addresses(bytes, dataAt, length, count);
    else this.#records(bytes, dataAt, length, count);
    if (type === TYPE.SRV && this.#zone.mixedCase) this.#respell(octets, at, answerAt);
    const additional = lengths >>> 16;
    // Glue points into a whole answer, so there is none behind one that was cut. Lost glue is no truncation
    // (RFC 2181 section 9).
    if (reply.truncated || additional === 0 || additional > reply.room) return;
    reply.copy(bytes, words[set + SET.additionalAt] as number, additional);
    reply.additionals = counts >>> 16;
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
