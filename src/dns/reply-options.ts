import type { Asker } from "./asker.ts";
import { COOKIE, COOKIE_BYTES, type CookieState, type Cookies } from "./cookies.ts";
import { OPTION } from "./iana.ts";
import type { OctetSink } from "./octet-sink.ts";
import type { Query } from "./query.ts";

/** Code and length of an option. */
const OPTION_HEADER = 4;
const KEEPALIVE_BYTES = OPTION_HEADER + 2;

export interface ReplyOptionsOptions {
  readonly cookies: Cookies | undefined;
  /** What names this server to who asks for it (RFC 5001); none: nothing does. */
  readonly nsid: Uint8Array;
  /** How long an idle TCP connection stays, in milliseconds (RFC 7828). */
  readonly keepaliveMs: number;
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** ReplyOptions decides which EDNS options a reply has: those that we speak and that the query had, and no other. What
 *  is not ours to answer (client subnet, padding, expire, anything unknown) is ignored and not echoed. */
export class ReplyOptions {
  /** Octets that write will add. */
  bytes = 0;
  /** What the query's cookie proves. */
  cookie: CookieState = COOKIE.none;
  readonly #o: ReplyOptionsOptions;
  #nsid = false;
  #keepalive = false;

  constructor(options: ReplyOptionsOptions) {
    this.#o = options;
  }

  /** plan looks at the options that the query of the message at `at` had. */
  plan(octets: Uint8Array, at: number, query: Query, asker: Asker, tcp: boolean): void {
    const { cookies, nsid, now } = this.#o;
    this.bytes = 0;
    this.cookie = COOKIE.none;
    // A cookie proves an address: without one there is nothing to say.
    if (cookies !== undefined && query.cookieLength > 0 && asker.length > 0) {
      this.cookie = cookies.check(octets, at + query.cookieAt, query.cookieLength, asker, now());
      this.bytes += COOKIE_BYTES;
    }
    this.#nsid = query.nsid && nsid.length > 0;
    if (this.#nsid) this.bytes += OPTION_HEADER + nsid.length;
    this.#keepalive = query.keepalive && tcp;
    if (this.#keepalive) this.bytes += KEEPALIVE_BYTES;
  }

  /** write adds the options to the reply's OPT record. */
  write(to: OctetSink): void {
    const { cookies, nsid, keepaliveMs } = this.#o;
    if (this.cookie !== COOKIE.none) cookies?.write(to);
    if (this.#nsid) {
      to.u16(OPTION.NSID);
      to.u16(nsid.length);
      to.copy(nsid, 0, nsid.length);
    }
    if (this.#keepalive) {
      to.u16(OPTION.KEEPALIVE);
      to.u16(2);
      to.u16(Math.min(0xffff, Math.floor(keepaliveMs / 100))); // in units of 100 ms
    }
  }
}
