import { type Ip, ipBytes } from "#values";

/** DER (ITU-T X.690) as far as a certificate needs it, and writing only: what arrives from outside is read by OpenSSL.
 *  Each function gives one complete element: tag, length, content. */

/** Tags of the universal class, the constructed bit included (X.690, 8.1.2). */
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** One element of a tag, its contents joined. */
function element(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body]);
}

/** The short form up to 127, then a count of octets and the length itself (X.690, 8.1.3). */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const octets = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.from([0x80 | octets.length]), octets]);
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return element(TAG.sequence, ...content);
}

/** setOf holds one element here, so that the order of a SET is no question. */
export function setOf(...content: readonly Uint8Array[]): Buffer {
  return element(TAG.set, ...content);
}

/** integer writes an unsigned number given in octets, highest first. */
export function integer(octets: Uint8Array): Buffer {
  let first = 0;
  while (first < octets.length - 1 && octets[first] === 0) first += 1;
  const short = octets.subarray(first);
  const negative = ((short[0] ?? 0) & 0x80) !== 0; // would be read so: a zero octet keeps it positive
  return element(TAG.integer, negative ? Buffer.from([0]) : Buffer.alloc(0), short);
}

/** DER leaves FALSE out wherever it is the default, so only TRUE is ever written. */
export function booleanTrue(): Buffer {
  return element(TAG.boolean, Buffer.from([0xff]));
}

/** oid writes an object identifier given as `2.5.29.17`. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Seven bits an octet, highest first, the top bit set on all but the last (X.690, 8.19.2). */
function base128(value: number): number[] {
  const groups = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) groups.unshift((rest & 0x7f) | 0x80);
  return groups;
}

export function utf8(text: string): Buffer {
  return element(TAG.utf8, Buffer.from(text));
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(TAG.octetString, bytes);
}

/** bitString writes bits; `unused` is how many of the last octet's low bits do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Buffer {
  return element(TAG.bitString, Buffer.from([unused]), bytes);
}

/** explicit wraps an element in the constructed context tag [n]. */
export function explicit(n: number, content: Uint8Array): Buffer {
  return element(0xa0 | n, content);
}

/** implicit writes content under the primitive context tag [n]. */
export function implicit(n: number, content: Uint8Array): Buffer {
  return element(0x80 | n, content);
}

/** time writes a moment to the second: UTCTime until 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  const year = Number(text.slice(0, 4));
  return year < 2050
    ? element(TAG.utcTime, Buffer.from(text.slice(2)))
    : element(TAG.generalizedTime, Buffer.from(text));
}

/** dnsName and ipName are the two kinds of GeneralName we use (RFC 5280, 4.2.1.6). */
export function dnsName(name: string): Buffer {
  return implicit(2, Buffer.from(name));
}

/** An address goes in as its 4 or 16 octets, never as text. */
export function ipName(ip: Ip): Buffer {
  return implicit(7, ipBytes(ip));
}
