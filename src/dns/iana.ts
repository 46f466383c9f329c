/** TYPE holds the RR types that are treated apart or shown by name (IANA, "Domain Name System (DNS) Parameters").
 *  Every other type is opaque: NODATA or NXDOMAIN, never an error (RFC 3597). */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DNSKEY: 48,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
} as const;

export type TypeName = keyof typeof TYPE;

/** CLASS_IN is the only class that is answered. */
export const CLASS_IN = 1;

/** RCODE holds the response codes that are given; 16 and above need EDNS (RFC 6891 section 6.1.3). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

export type RcodeName = keyof typeof RCODE;

/** EDE holds the extended errors that are given (RFC 8914). */
export const EDE = {
  NONE: 0,
  NOT_READY: 14,
  FILTERED: 17,
  PROHIBITED: 18,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
} as const;

/** OPTION holds the EDNS options that are spoken (RFC 5001, RFC 7873, RFC 7828, RFC 8914). */
export const OPTION = { NSID: 3, COOKIE: 10, KEEPALIVE: 11, EDE: 15 } as const;

/** EDNS_SIZE is the largest UDP message sent and the size announced: no fragments (DNS flag day 2020). */
export const EDNS_SIZE = 1232;
/** PLAIN_SIZE is what any client takes by UDP (RFC 1035 section 4.2.1). */
export const PLAIN_SIZE = 512;
/** MAX_MESSAGE is what the two-octet length of TCP can say. */
export const MAX_MESSAGE = 65_535;
/** HEADER is the length of a message header in octets. */
export const HEADER = 12;

/** typeNumber reads a type as people write it: `A`, `srv`, `TYPE666` (RFC 3597 section 5). */
export function typeNumber(text: string): number | undefined {
  const upper = text.toUpperCase();
  if (Object.hasOwn(TYPE, upper)) return TYPE[upper as TypeName];
  const generic = /^TYPE(\d{1,5})$/.exec(upper);
  const value = Number(generic?.[1] ?? Number.NaN);
  return value <= 65_535 ? value : undefined;
}

/** typeText is the inverse of typeNumber. */
export function typeText(type: number): string {
  const known = Object.entries(TYPE).find(([, value]) => value === type);
  return known?.[0] ?? `TYPE${type}`;
}

/** rcodeText names a response code, `RCODE9` where it has no name here. */
export function rcodeText(rcode: number): string {
  const known = Object.entries(RCODE).find(([, value]) => value === rcode);
  return known?.[0] ?? `RCODE${rcode}`;
}
