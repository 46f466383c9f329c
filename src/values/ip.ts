import { createRequire } from "node:module";
import type { Address6 as Address6Class } from "ip-address";
import type { Brand } from "./brand.ts";
import { err, ok, type Result } from "./result.ts";

/** Ip is an IPv4 or IPv6 address in canonical text (RFC 5952 for IPv6), so equal addresses are equal strings. */
export type Ip = Brand<string, "Ip">;
export type Family = 4 | 6;

/** Bits of an address by family. */
export const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };

const DOT = ".".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const DOTTED = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

/** address6 is the library's class for IPv6, loaded with the first such address: every thread of ours knows addresses, and
 *  most never see one of these. */
function address6(): typeof Address6Class {
  loaded ??= (createRequire(import.meta.url)("ip-address") as { readonly Address6: typeof Address6Class }).Address6;
  return loaded;
}
let loaded: typeof Address6Class | undefined;

/** parseIp accepts an IPv4 address in plain dotted form, or an IPv6 address without a zone; never a prefix. */
export function parseIp(text: string): Result<Ip> {
  const v4 = DOTTED.exec(text);
  if (v4 !== null) {
    return v4.slice(1).every((octet) => Number(octet) <= 255)
      ? ok(text as Ip)
      : err(`not an IP address: ${quote(text)}`);
  }
  if (!text.includes(":") || /[/%\s]/.test(text) || !address6().isValid(text)) {
    return err(`not an IP address: ${quote(text)}`);
  }
  return ok(new (address6())(text).correctForm() as Ip);
}

export function familyOf(ip: string): Family {
  return ip.includes(":") ? 6 : 4;
}

/** ipValue is the address as an unsigned number. */
export function ipValue(ip: Ip): bigint {
  return familyOf(ip) === 4 ? BigInt(ipv4Value(ip)) : new (address6())(ip).bigInt();
}

/** ipv4Value is an IPv4 address as an unsigned 32-bit number. */
export function ipv4Value(ip: Ip): number {
  let value = 0;
  let octet = 0;
  for (let at = 0; at < ip.length; at += 1) {
    const code = ip.charCodeAt(at);
    if (code !== DOT) octet = octet * 10 + code - ZERO;
    else {
      value = value * 256 + octet;
      octet = 0;
    }
  }
  return value * 256 + octet;
}

/** ipFrom is the inverse of ipValue; the value must fit the family. */
export function ipFrom(family: Family, value: bigint): Ip {
  if (value < 0n || value >= 1n << BigInt(BITS[family])) throw new RangeError(`${value} is no IPv${family} address`);
  return (family === 4 ? ipv4From(Number(value)) : address6().fromBigInt(value).correctForm()) as Ip;
}

/** ipv4From writes an unsigned 32-bit number as an address. */
export function ipv4From(value: number): Ip {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}` as Ip;
}

/** ipBytes is the address in network order: 4 or 16 octets. */
export function ipBytes(ip: Ip): Uint8Array {
  if (familyOf(ip) === 6) return Uint8Array.from(new (address6())(ip).toUnsignedByteArray());
  const value = ipv4Value(ip);
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

/** isSpecial reports whether an address may never be an endpoint (CVE-2021-25737): loopback, link-local, multicast,
 *  unspecified, broadcast, and IPv4 dressed as IPv6. Class E counts as usable: the default supernet lies in it. */
export function isSpecial(ip: Ip): boolean {
  if (familyOf(ip) === 4) {
    const [a = 0, b = 0] = ip.split(".").map(Number);
    return a === 0 || a === 127 || (a === 169 && b === 254) || (a >= 224 && a <= 239) || ip === "255.255.255.255";
  }
  const address = new (address6())(ip);
  const high = Number(address.bigInt() >> 112n);
  const mapped = address.bigInt() >> 32n === 0xffffn;
  return ip === "::" || ip === "::1" || mapped || (high & 0xffc0) === 0xfe80 || high >> 8 === 0xff;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
