import type { Cidr } from "#values";
import { SECRET_BYTES } from "./cookie-secrets.ts";
import { EDNS_SIZE, PLAIN_SIZE } from "./iana.ts";
import { type FullRateLimit, fullRateLimit, type RateLimit } from "./rate-limit.ts";

/** PacketOptions say how messages are treated, whatever the zone holds. */
export interface PacketOptions {
  /** Server cookies (RFC 7873, RFC 9018; default on): a client that shows one is known not to forge its address. */
  readonly cookies: boolean;
  /** Secrets of the cookies, 32 hexadecimal digits each: the first makes them, a second one is believed too. Servers that
   *  share an address need the same ones. None (default): a random one, and another every day. */
  readonly cookieSecrets: readonly string[];
  /** Told to who asks for it (RFC 5001); empty (default): nobody is told. At most 128 octets of UTF-8. */
  readonly nsid: string;
  /** Largest UDP reply in octets, 512 to 1232 (default): no fragments. */
  readonly udpSize: number;
  /** Limits of replies by UDP; undefined (default): none. */
  readonly rateLimit: RateLimit | undefined;
  /** CoreDNS, NodeLocal DNSCache and others that ask for many: no rate limit, and no limit of TCP connections of their
   *  own. The one for all connections together holds. */
  readonly forwarders: readonly Cidr[];
}

/** PacketPolicy is the same, checked and complete: plain data for the threads. */
export interface PacketPolicy extends Omit<PacketOptions, "cookieSecrets" | "rateLimit" | "nsid"> {
  readonly secrets: readonly Uint8Array[];
  readonly nsid: Uint8Array;
  readonly rateLimit: FullRateLimit | undefined;
}

/** With it the longest question, a cookie, the SOA and an extended error still fit 512 octets. */
const MAX_NSID = 128;

/** packetPolicy fills in the defaults; what cannot be served is our caller's bug, since it was parsed before. */
export function packetPolicy(options: Partial<PacketOptions> = {}): PacketPolicy {
  const { cookies = true, cookieSecrets = [], udpSize = EDNS_SIZE, forwarders = [], rateLimit } = options;
  const nsid = new TextEncoder().encode(options.nsid ?? "");
  if (nsid.length > MAX_NSID)
    throw new RangeError(`nsid is at most ${MAX_NSID} octets: current length is ${nsid.length}`);
  if (!Number.isInteger(udpSize) || udpSize < PLAIN_SIZE || udpSize > EDNS_SIZE) {
    throw new RangeError(`udpSize must be ${PLAIN_SIZE} to ${EDNS_SIZE}: current value is ${udpSize}`);
  }
  return {
    cookies,
    secrets: cookieSecrets.map(secretOf),
    nsid,
    udpSize,
    rateLimit: rateLimit === undefined ? undefined : fullRateLimit(rateLimit),
    forwarders,
  };
}

/** A secret is never shown, not even a wrong one. */
function secretOf(text: string): Uint8Array {
  if (!/^[0-9a-f]{32}$/i.test(text)) {
    throw new RangeError(
      `a cookie secret is ${2 * SECRET_BYTES} hexadecimal digits: this one has ${text.length} characters`,
    );
  }
  return Uint8Array.fromHex(text);
}
