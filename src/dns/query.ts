import { HEADER, OPTION, PLAIN_SIZE, TYPE } from "./iana.ts";
import { MAX_LABEL, MAX_NAME } from "./wire-name.ts";

/** VERDICT is what the gate says of a message, before anything is looked up. */
export const VERDICT = {
  /** No reply at all: shorter than a header, or itself a response (a reply could loop). */
  silence: 0,
  answer: 1,
  /** FORMERR with the header alone: there is no question to echo. */
  noQuestion: 2,
  /** FORMERR with the question. */
  malformed: 3,
  /** NOTIMP with the header alone (RFC 8906 section 8.1.4). */
  notImplemented: 4,
  /** BADVERS (RFC 6891 section 6.1.3). */
  badVersion: 5,
  /** No question but a cookie: the asker wants one of ours, or to know whether it is still good (RFC 7873 section 5.4). */
  cookieOnly: 6,
} as const;

export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

/** More records than any query has (IXFR one authority record, OPT and TSIG): bounds the work a header can claim. */
const MAX_ANSWERS = 1;
const MAX_AUTHORITIES = 1;
const MAX_ADDITIONALS = 2;
/** By their own names: the loop over options runs a thousand times for a packet that wants it to. */
const { COOKIE, KEEPALIVE, NSID } = OPTION;
/** Octets of a record between its owner and its data. */
const RR_FIXED = 10;

/** Query is one message that was read: places relative to its start. One is reused for all, so nothing is allocated. */
export class Query {
  /** Behind name, type and class. */
  questionEnd = HEADER;
  type = 0;
  class = 0;
  labels = 0;
  /** Where each label of the question's name begins; one more for the root. */
  readonly labelAt = new Uint16Array(128);
  /** Whether there was an OPT record: a reply has one if and only if the query had. */
  edns = false;
  dnssecOk = false;
  /** Largest UDP reply the asker takes; below 512 counts as 512 (RFC 6891 section 6.2.3). */
  udpSize = PLAIN_SIZE;
  /** Where the first COOKIE option's data begins, and its length; 0 where there is none, or cookies are not spoken. */
  cookieAt = 0;
  cookieLength = 0;
  /** Whether the server's name is asked for (RFC 5001), and how long a TCP connection stays (RFC 7828). */
  nsid = false;
  keepalive = false;
  #version = 0;
  readonly #cookies: boolean;

  /** Where cookies are spoken, one that cannot be a cookie is a malformed query (RFC 7873 section 5.2.2); where not, it is
   *  an option like any that nobody knows. */
  constructor({ cookies = false }: { readonly cookies?: boolean } = {}) {
    this.#cookies = cookies;
  }

  /** read parses the message of `length` octets at `at`. Total: any octets give a verdict, in time proportional to
   *  their number. Names in the question have no pointers; elsewhere pointers go strictly backwards. */
  read(octets: Uint8Array, at: number, length: number): Verdict {
    this.#forget();
    if (length < HEADER) return VERDICT.silence;
    const flags = octets[at + 2] as number;
    if ((flags & 0x80) !== 0) return VERDICT.silence;
    if ((flags & 0x78) !== 0) return VERDICT.notImplemented;
    const end = at + length;
    const questions = u16(octets, at + 4);
    if (questions !== 1) return questions === 0 ? this.#readNoQuestion(octets, at, end) : VERDICT.noQuestion;
    if (!this.#readQuestion(octets, at, end)) return VERDICT.noQuestion;
    const answers = u16(octets, at + 6);
    const authorities = u16(octets, at + 8);
    const additionals = u16(octets, at + 10);
    if ((answers | authorities | additionals) === 0) return VERDICT.answer;
    if (answers > MAX_ANSWERS || authorities > MAX_AUTHORITIES || additionals > MAX_ADDITIONALS) {
      return VERDICT.malformed;
    }
    return this.#readRecords(octets, at, end, answers + authorities, additionals);
  }

  #forget(): void {
    this.questionEnd = HEADER;
    this.type = 0;
    this.class = 0;
    this.labels = 0;
    this.edns = false;
    this.dnssecOk = false;
    this.udpSize = PLAIN_SIZE;
    this.cookieLength = 0;
    this.nsid = false;
    this.keepalive = false;
    this.#version = 0;
  }

  /** A message without a question is a query for a cookie, or none at all. */
  #readNoQuestion(octets: Uint8Array, at: number, end: number): Verdict {
    const others = u16(octets, at + 6) | u16(octets, at + 8);
    if (!this.#cookies || others !== 0 || u16(octets, at + 10) !== 1) return VERDICT.noQuestion;
    const verdict = this.#readRecords(octets, at, end, 0, 1);
    return verdict === VERDICT.answer && this.cookieLength > 0 ? VERDICT.cookieOnly : VERDICT.noQuestion;
  }

  #readQuestion(octets: Uint8Array, at: number, end: number): boolean {
    const start = at + HEADER;
    let place = start;
    let labels = 0;
    for (;;) {
      if (place >= end || place - start >= MAX_NAME) return false;
      this.labelAt[labels] = place - at;
      const label = octets[place] as number;
      place++;
      if (label === 0) break;
      if (label > MAX_LABEL) return false; // a pointer, or a label type that does not exist
      place += label;
      labels++;
    }
    if (place + 4 > end) return false;
    this.labels = labels;
    this.type = u16(octets, place);
    this.class = u16(octets, place + 2);
    this.questionEnd = place + 4 - at;
    return true;
  }

  #readRecords(octets: Uint8Array, at: number, end: number, before: number, additionals: number): Verdict {
    let place = at + this.questionEnd;
    for (let i = 0; i < before + additionals; i++) {
      const owner = place;
      place = skipName(octets, at, place, end);
      if (place < 0 || place + RR_FIXED > end) return VERDICT.malformed;
      const dataEnd = place + RR_FIXED + u16(octets, place + 8);
      if (dataEnd > end) return VERDICT.malformed;
      if (u16(octets, place) === TYPE.OPT) {
        // One OPT at most, in Additional, owned by the root (RFC 6891 section 6.1.1).
        if (i < before || octets[owner] !== 0 || this.edns) return VERDICT.malformed;
        if (!this.#readOpt(octets, at, place, dataEnd)) return VERDICT.malformed;
      }
      place = dataEnd;
    }
    return this.#version > 0 ? VERDICT.badVersion : VERDICT.answer;
  }

  /** Options must be whole, whatever they are; those of a later version may look otherwise. */
  #readOpt(octets: Uint8Array, at: number, place: number, end: number): boolean {
    this.edns = true;
    this.udpSize = Math.max(PLAIN_SIZE, u16(octets, place + 2));
    this.#version = octets[place + 5] as number;
    this.dnssecOk = ((octets[place + 6] as number) & 0x80) !== 0;
    if (this.#version > 0) return true;
    let option = place + RR_FIXED;
    while (option < end) {
      if (option + 4 > end) return false;
      const length = u16(octets, option + 2);
      if (option + 4 + length > end) return false;
      if (!this.#readOption(u16(octets, option), option + 4 - at, length)) return false;
      option += 4 + length;
    }
    return true;
  }

  /** The first cookie counts and no other (RFC 7873 section 5.2). Keepalive comes without a time from clients. */
  #readOption(code: number, at: number, length: number): boolean {
    if (code === COOKIE && this.#cookies && this.cookieLength === 0) {
      if (!cookieLengthFits(length)) return false;
      this.cookieAt = at;
      this.cookieLength = length;
    } else if (code === NSID) {
      this.nsid = true;
    } else if (code === KEEPALIVE) {
      this.keepalive = length === 0;
    }
    return true;
  }
}

/** skipName gives the place behind a name, or -1. A pointer ends a name and must point before the name's start. */
function skipName(octets: Uint8Array, at: number, start: number, end: number): number {
  let place = start;
  while (place < end && place - start < MAX_NAME) {
    const label = octets[place] as number;
    if (label === 0) return place + 1;
    if (label >= 0xc0) {
      if (place + 2 > end) return -1;
      const target = u16(octets, place) & 0x3fff;
      return target >= HEADER && target < start - at ? place + 2 : -1;
    }
    if (label > MAX_LABEL) return -1;
    place += 1 + label;
  }
  return -1;
}

/** A client's cookie is 8 octets, and a server's behind it 8 to 32 (RFC 7873 section 4). */
function cookieLengthFits(length: number): boolean {
  return length === 8 || (length >= 16 && length <= 40);
}

function u16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}
