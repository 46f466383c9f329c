import type { Asker } from "./asker.ts";
import type { CookieSecrets } from "./cookie-secrets.ts";
import { OPTION } from "./iana.ts";
import type { OctetSink } from "./octet-sink.ts";
import { SipHash } from "./siphash.ts";

/** Lengths of a client's cookie and of a server's of version 1 (RFC 7873, RFC 9018). */
const CLIENT_COOKIE = 8;
const SERVER_COOKIE = 16;
/** COOKIE_BYTES is what a cookie takes in a reply: option code, length, both cookies. */
export const COOKIE_BYTES = 4 + CLIENT_COOKIE + SERVER_COOKIE;

/** What is in the server's cookie before its hash: version, three reserved octets, time in seconds. */
const VERSION = 1;
const BEFORE_HASH = 8;
/** Seconds (RFC 9018 section 4.3): how old a cookie is believed, how far in the future, and when it is renewed. */
const MAX_AGE_S = 3600;
const MAX_AHEAD_S = 300;
const RENEW_S = 1800;

/** COOKIE is what a query's cookie proves. */
export const COOKIE = {
  /** There is none: the client does not speak of cookies. */
  none: 0,
  /** The client's half alone: it has never been here, or forgot. */
  fresh: 1,
  /** We made it, for this address, lately: the source is not forged. */
  valid: 2,
  /** Not ours, too old, or another address's. */
  bad: 3,
} as const;

export type CookieState = (typeof COOKIE)[keyof typeof COOKIE];

/** Cookies checks and makes interoperable server cookies (RFC 9018). Nothing is kept per client. */
export class Cookies {
  readonly #secrets: CookieSecrets;
  readonly #hash = new SipHash();
  /** What is hashed: client's cookie, the server's up to its hash, the client's address. */
  readonly #input = new Uint8Array(CLIENT_COOKIE + BEFORE_HASH + 16);
  #length = 0;
  #renew = true;
  #hashFirst = 0;
  #hashLast = 0;

  constructor(secrets: CookieSecrets) {
    this.#secrets = secrets;
  }

  /** check reads a cookie of allowed length; write then gives the one that belongs into the to. `now` is in seconds
   *  since 1970, of which 32 bits count (serial arithmetic, RFC 1982). */
  check(octets: Uint8Array, at: number, length: number, asker: Asker, now: number): CookieState {
    this.#take(octets, at, CLIENT_COOKIE, 0);
    this.#take(asker.octets, asker.at, asker.length, CLIENT_COOKIE + BEFORE_HASH);
    this.#length = CLIENT_COOKIE + BEFORE_HASH + asker.length;
    const state = length === CLIENT_COOKIE ? COOKIE.fresh : this.#judge(octets, at + CLIENT_COOKIE, length, now);
    if (state !== COOKIE.valid || this.#renew) this.#make(now);
    return state;
  }

  /** The reserved octets are hashed as they came: another server of the same address may use them. */
  #judge(octets: Uint8Array, at: number, length: number, now: number): CookieState {
    this.#renew = true;
    if (length !== CLIENT_COOKIE + SERVER_COOKIE || octets[at] !== VERSION) return COOKIE.bad;
    const age = (now - be32(octets, at + 4)) | 0;
    if (age > MAX_AGE_S || age < -MAX_AHEAD_S) return COOKIE.bad;
    this.#take(octets, at, BEFORE_HASH, CLIENT_COOKIE);
    this.#hashFirst = be32(octets, at + BEFORE_HASH);
    this.#hashLast = be32(octets, at + BEFORE_HASH + 4);
    if (this.#matches(this.#secrets.current)) {
      this.#renew = age > RENEW_S;
      return COOKIE.valid;
    }
    return this.#matches(this.#secrets.previous) ? COOKIE.valid : COOKIE.bad;
  }

  /** Both halves are compared whole: how much of a guess is right shows in no time. */
  #matches(secretAt: number): boolean {
    this.#hash.hash(this.#secrets.octets, secretAt, this.#input, 0, this.#length);
    return ((this.#hash.first ^ this.#hashFirst) | (this.#hash.last ^ this.#hashLast)) === 0;
  }

  #make(now: number): void {
    const input = this.#input;
    input.fill(0, CLIENT_COOKIE, CLIENT_COOKIE + BEFORE_HASH);
    input[CLIENT_COOKIE] = VERSION;
    for (let i = 0; i < 4; i++) input[CLIENT_COOKIE + 4 + i] = now >>> (24 - 8 * i);
    this.#hash.hash(this.#secrets.octets, this.#secrets.current, input, 0, this.#length);
    this.#hashFirst = this.#hash.first;
    this.#hashLast = this.#hash.last;
  }

  /** write adds the option: the client's cookie as it came, and ours. */
  write(to: OctetSink): void {
    to.u16(OPTION.COOKIE);
    to.u16(CLIENT_COOKIE + SERVER_COOKIE);
    to.copy(this.#input, 0, CLIENT_COOKIE + BEFORE_HASH);
    to.u32(this.#hashFirst);
    to.u32(this.#hashLast);
  }

  #take(from: Uint8Array, at: number, length: number, to: number): void {
    for (let i = 0; i < length; i++) this.#input[to + i] = from[at + i] as number;
  }
}

function be32(octets: Uint8Array, at: number): number {
  return (
    ((octets[at] as number) << 24) |
    ((octets[at + 1] as number) << 16) |
    ((octets[at + 2] as number) << 8) |
    (octets[at + 3] as number)
  );
}
