import { type Cidr, cidrFamily, cidrParts, err, type Ip, ipBytes, ok, parseCidr, type Result } from "#values";
import { encodeName } from "./wire-name.ts";

/** ZoneAddress is what a server block's key means: zones, several where a prefix is none of one zone, and a port. */
export interface ZoneAddress {
  readonly zones: readonly string[];
  readonly port: number;
}

/** readAddress reads `[SCHEME://]ZONE[:PORT]`, where a zone may be a prefix: `10.0.0.0/24` is its reverse zone. */
export function readAddress(text: string): Result<ZoneAddress> {
  const scheme = /^([a-z0-9]+):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== "dns") {
    return err(`${scheme}:// is not served: queries are taken by UDP and TCP in clear`);
  }
  const rest = text.replace(/^dns:\/\//i, "");
  const prefix = readPrefix(rest);
  if (prefix !== undefined) return prefix;
  const [, zone = "", digits] = /^(.*?)(?::(\d{1,5}))?$/s.exec(rest) ?? [];
  const port = digits === undefined ? 53 : Number(digits);
  if (port < 1 || port > 65_535) return err(`a port must be from 1 to 65535: "${text}"`);
  const name = zoneName(zone);
  return name.ok ? ok({ zones: [name.value], port }) : name;
}

/** zoneName is a zone as it is compared: lower case, no dot at the end; the root is empty. */
export function zoneName(text: string): Result<string> {
  const name = text.toLowerCase().replace(/\.$/, "");
  const octets = encodeName(name);
  if (text === "" || !octets.ok || /[{}/:]/.test(name)) return err(`is no zone: "${text}"`);
  return ok(name);
}

/** reverseZones gives the zones that hold a prefix: one on an octet's or nibble's border, else several. */
export function reverseZones(cidr: Cidr): readonly string[] {
  const { length } = cidrParts(cidr);
  const step = cidrFamily(cidr) === 4 ? 8 : 4;
  const digits = digitsOf(cidr);
  const count = Math.ceil(length / step);
  const first = digits.slice(0, count);
  const spare = count * step - length;
  const suffix = step === 8 ? "in-addr.arpa" : "ip6.arpa";
  return Array.from({ length: 2 ** spare }, (_, offset) => {
    const last = (first.at(-1) ?? 0) + offset;
    const labels = [...first.slice(0, -1), ...(count === 0 ? [] : [last])];
    return [...labels.reverse().map((digit) => digit.toString(step === 8 ? 10 : 16)), suffix].join(".");
  });
}

/** Octets of an IPv4 address, nibbles of an IPv6 one. */
function digitsOf(cidr: Cidr): readonly number[] {
  const octets = [...ipBytes(cidr.split("/")[0] as Ip)];
  return cidrFamily(cidr) === 4 ? octets : octets.flatMap((octet) => [octet >> 4, octet & 15]);
}

/** A prefix may have a port behind it: `10.0.0.0/24:5300`. */
function readPrefix(text: string): Result<ZoneAddress> | undefined {
  const match = /^([0-9a-f.:]+\/\d{1,3})(?::(\d{1,5}))?$/i.exec(text);
  if (match === null) return undefined;
  const cidr = parseCidr(match[1] ?? "");
  if (!cidr.ok) return cidr;
  return ok({ zones: reverseZones(cidr.value), port: match[2] === undefined ? 53 : Number(match[2]) });
}
