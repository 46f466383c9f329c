import { TYPE } from "./iana.ts";

/** A strict decoder for tests: not the code that writes replies, and it forgives nothing. */

const RR_TYPES: Readonly<Record<number, (walk: Walk, end: number) => void>> = {
  [TYPE.A]: (walk, end) => walk.skip(4, end),
  [TYPE.AAAA]: (walk, end) => walk.skip(16, end),
  [TYPE.NS]: (walk, end) => walk.name(end),
  [TYPE.PTR]: (walk, end) => walk.name(end),
  [TYPE.TXT]: (walk, end) => walk.strings(end, 1),
  [TYPE.HINFO]: (walk, end) => walk.strings(end, 2),
  [TYPE.SRV]: (walk, end) => {
    walk.skip(6, end);
    walk.name(end, false);
  },
  [TYPE.SOA]: (walk, end) => {
    walk.name(end);
    walk.name(end);
    walk.skip(20, end);
  },
};

/** What a reply may tell in its OPT record: these options, exactly so long (NSID is "fuzz" where it is told). */
const OPTION_LENGTHS: Readonly<Record<number, readonly number[]>> = { 3: [4], 10: [24], 11: [2], 15: [2] };

/** strictFault says what is wrong with a reply; undefined where nothing is. Every octet must belong to something, every
 *  pointer go backwards to where a name's label begins, every record have the shape of its type. */
export function strictFault(reply: Uint8Array): string | undefined {
  try {
    const walk = new Walk(reply);
    walk.message();
    return undefined;
  } catch (reason) {
    if (reason instanceof Fault) return reason.message;
    throw reason;
  }
}

class Fault extends Error {}

class Walk {
  readonly #octets: Uint8Array;
  /** Places where a label of a name began: only these may be pointed to. */
  readonly #labels = new Set<number>();
  #at = 12;
  #opts = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  message(): void {
    const octets = this.#octets;
    if (octets.length < 12) throw new Fault("shorter than a header");
    const high = octets[2] ?? 0;
    const low = octets[3] ?? 0;
    if ((high & 0x80) === 0) throw new Fault("not a response");
    if ((low & 0xe0) !== 0) throw new Fault("RA, Z or AD is set");
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => this.#u16(at)) as [
      number,
      number,
      number,
      number,
    ];
    if (questions > 1) throw new Fault("more than one question");
    if (questions === 1) this.#question();
    this.#section(answers, false);
    this.#section(authorities, false);
    this.#section(additionals, true);
    if (this.#at !== octets.length) throw new Fault(`${octets.length - this.#at} octets too many`);
    if (questions === 0 && answers + authorities > 0) throw new Fault("records without a question");
    const rcode = low & 0x0f;
    if (answers > 0 && rcode !== 0) throw new Fault(`answers with code ${rcode}`);
    if (answers > 0 && (high & 0x04) === 0) throw new Fault("an answer without AA");
  }

  #question(): void {
    this.name(this.#octets.length, false);
    this.skip(4, this.#octets.length);
  }

  /** One lifetime in each set (RFC 2181 section 5.2); OPT once at most, and only in Additional. */
  #section(count: number, additional: boolean): void {
    const lifetimes = new Map<string, number>();
    for (let i = 0; i < count; i++) {
      const owner = this.#at;
      this.name(this.#octets.length);
      const fixed = this.#at;
      this.skip(10, this.#octets.length);
      const type = this.#u16(fixed);
      const end = this.#at + this.#u16(fixed + 8);
      if (end > this.#octets.length) throw new Fault("record data behind the end");
      if (type === TYPE.OPT) {
        if (!additional || ++this.#opts > 1 || this.#octets[owner] !== 0) throw new Fault("an OPT out of place");
        this.#opt(fixed, end);
        continue;
      }
      if (this.#u16(fixed + 2) !== 1) throw new Fault("a record of another class");
      const decode = RR_TYPES[type];
      if (decode === undefined) throw new Fault(`a record of type ${type}`);
      decode(this, end);
      if (this.#at !== end) throw new Fault(`data of type ${type} ends ${end - this.#at} octets early`);
      const ttl = this.#u16(fixed + 4) * 65_536 + this.#u16(fixed + 6);
      const key = `${type} ${this.#octets.subarray(owner, fixed).toHex()}`;
      if ((lifetimes.get(key) ?? ttl) !== ttl) throw new Fault("two lifetimes in a set");
      lifetimes.set(key, ttl);
    }
  }

  #opt(fixed: number, end: number): void {
    if (this.#octets[fixed + 5] !== 0) throw new Fault("an EDNS version but 0");
    if ((this.#u16(fixed + 6) & 0x7fff) !== 0) throw new Fault("an EDNS flag but DO");
    while (this.#at < end) {
      const option = this.#at;
      this.skip(4, end);
      const lengths = OPTION_LENGTHS[this.#u16(option)];
      const length = this.#u16(option + 2);
      if (lengths?.includes(length) !== true) throw new Fault(`option ${this.#u16(option)} of ${length} octets`);
      this.skip(length, end);
    }
  }

  skip(octets: number, end: number): void {
    this.#at += octets;
    if (this.#at > end) throw new Fault("data too short");
  }

  strings(end: number, count: number): void {
    for (let i = 0; i < count; i++) this.skip(1 + (this.#octets[this.#at] ?? 0), end);
  }

  /** name walks one name: at most 255 octets with what its pointers lead to. */
  name(end: number, mayPoint = true): void {
    let octets = 0;
    for (;;) {
      const length = this.#octets[this.#at] ?? 0xff;
      if (length >= 0xc0) {
        if (!mayPoint) throw new Fault("a pointer where there may be none");
        this.skip(2, end);
        octets += this.#lengthAt(((length & 0x3f) << 8) | (this.#octets[this.#at - 1] ?? 0));
        break;
      }
      if (length > 63) throw new Fault("a label type that does not exist");
      this.#labels.add(this.#at);
      octets += length + 1;
      this.skip(length + 1, end);
      if (length === 0) break;
    }
    if (octets > 255) throw new Fault(`a name of ${octets} octets`);
  }

  /** lengthAt is what a pointer adds: it leads to the beginning of a label that was walked before. */
  #lengthAt(target: number): number {
    if (!this.#labels.has(target)) throw new Fault(`a pointer to ${target}, where no label begins`);
    let at = target;
    let octets = 0;
    for (;;) {
      const length = this.#octets[at] ?? 0;
      if (length >= 0xc0) return octets + this.#lengthAt(((length & 0x3f) << 8) | (this.#octets[at + 1] ?? 0));
      octets += length + 1;
      if (length === 0) return octets;
      at += length + 1;
    }
  }

  #u16(at: number): number {
    return ((this.#octets[at] ?? 0) << 8) | (this.#octets[at + 1] ?? 0);
  }
}
