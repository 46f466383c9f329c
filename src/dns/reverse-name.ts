import { type Cidr, cidrParts, type Family, familyOf, type Ip, ipBytes, ipFrom } from "#values";

/** Bits of one label below `in-addr.arpa` (RFC 1035 section 3.5) and `ip6.arpa` (RFC 3596 section 2.5). */
const LABEL_BITS: Readonly<Record<Family, number>> = { 4: 8, 6: 4 };
const BITS: Readonly<Record<Family, number>> = { 4: 32, 6: 128 };
const TOP: Readonly<Record<Family, readonly string[]>> = { 4: ["in-addr", "arpa"], 6: ["ip6", "arpa"] };

/** reverseLabels is the name of an address: `7.3.2.242.in-addr.arpa`. */
export function reverseLabels(ip: Ip): readonly string[] {
  const family = familyOf(ip);
  if (family === 4) return [...ip.split(".").reverse(), ...TOP[4]];
  const nibbles = [...ipBytes(ip)].flatMap((octet) => [octet >>> 4, octet & 15]);
  return [...nibbles.reverse().map((nibble) => nibble.toString(16)), ...TOP[6]];
}

/** zoneLabels is how many labels the zones of a network have. */
export function zoneLabels(cidr: Cidr): number {
  const { family, length } = cidrParts(cidr);
  return Math.ceil(length / LABEL_BITS[family]) + TOP[family].length;
}

/** reverseOrigins are the zones that hold exactly a network's addresses: one where its length ends with a label, else
 *  as many as make it up, `242.0.0.0/10` the 64 from `0.242.in-addr.arpa` to `63.242.in-addr.arpa`. */
export function reverseOrigins(cidr: Cidr): readonly (readonly string[])[] {
  const { family, base, length } = cidrParts(cidr);
  const labels = Math.ceil(length / LABEL_BITS[family]);
  const bits = labels * LABEL_BITS[family];
  const rest = BITS[family] / LABEL_BITS[family] - labels;
  return Array.from({ length: 2 ** (bits - length) }, (_, i) => {
    const first = ipFrom(family, base + (BigInt(i) << BigInt(BITS[family] - bits)));
    return reverseLabels(first).slice(rest);
  });
}
