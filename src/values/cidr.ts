import type { Brand } from "./brand.ts";
import { BITS, type Family, familyOf, type Ip, ipFrom, ipValue, ipv4From, ipv4Value, parseIp } from "./ip.ts";
import { err, ok, type Result } from "./result.ts";

/** Cidr is a network in canonical text, `10.244.0.0/16`: its host bits are zero, so equal networks are equal strings. */
export type Cidr = Brand<string, "Cidr">;

export interface CidrParts {
  readonly family: Family;
  readonly base: bigint;
  /** Prefix length in bits. */
  readonly length: number;
  /** Number of addresses. */
  readonly size: bigint;
}

/** parseCidr accepts `address/length` whose host bits are zero; otherwise the error says which network was meant. */
export function parseCidr(text: string): Result<Cidr> {
  const [address = "", length = "", ...rest] = text.split("/");
  const ip = parseIp(address);
  if (!ip.ok || rest.length > 0 || !/^(0|[1-9]\d{0,2})$/.test(length)) {
    return err(`not a CIDR, which looks like 10.0.0.0/8: ${JSON.stringify(text.slice(0, 80))}`);
  }
  const family = familyOf(ip.value);
  if (Number(length) > BITS[family]) return err(`a prefix of IPv${family} is at most /${BITS[family]}: ${text}`);
  const network = networkOf(ip.value, Number(length));
  return network === `${ip.value}/${length}` ? ok(network) : err(`${text} has host bits set; write ${network}`);
}

/** cidrOf writes the network of given base; the base must have no host bits. */
export function cidrOf(family: Family, base: bigint, length: number): Cidr {
  return `${ipFrom(family, base)}/${length}` as Cidr;
}

/** networkOf is the network of a length in which an address lies. */
export function networkOf(ip: Ip, length: number): Cidr {
  const family = familyOf(ip);
  const host = BigInt(BITS[family] - length);
  return cidrOf(family, (ipValue(ip) >> host) << host, length);
}

export function cidrParts(cidr: Cidr): CidrParts {
  const slash = cidr.indexOf("/");
  const address = cidr.slice(0, slash) as Ip;
  const family = familyOf(address);
  const length = Number(cidr.slice(slash + 1));
  return { family, base: ipValue(address), length, size: 1n << BigInt(BITS[family] - length) };
}

export function cidrFamily(cidr: Cidr): Family {
  return familyOf(cidr);
}

/** contains reports whether an address lies in a network. */
export function contains(cidr: Cidr, ip: Ip): boolean {
  if (familyOf(ip) === 4) return familyOf(cidr) === 4 && contains4(cidr, ip);
  const { family, base, size } = cidrParts(cidr);
  if (family !== familyOf(ip)) return false;
  const value = ipValue(ip);
  return value >= base && value < base + size;
}

/** IPv4 in plain numbers: this is asked for every endpoint of every service. */
function contains4(cidr: Cidr, ip: Ip): boolean {
  const slash = cidr.indexOf("/");
  const offset = ipv4Value(ip) - ipv4Value(cidr.slice(0, slash) as Ip);
  return offset >= 0 && offset < 2 ** (32 - Number(cidr.slice(slash + 1)));
}

/** covers reports whether every address of inner is one of outer. */
export function covers(outer: Cidr, inner: Cidr): boolean {
  const o = cidrParts(outer);
  const i = cidrParts(inner);
  return o.family === i.family && i.base >= o.base && i.base + i.size <= o.base + o.size;
}

/** overlaps reports whether two networks share an address. */
export function overlaps(a: Cidr, b: Cidr): boolean {
  return covers(a, b) || covers(b, a);
}

/** addressAt is the address a number of places after a network's first; it must lie in the network. */
export function addressAt(cidr: Cidr, offset: bigint): Ip {
  const { family, base, size } = cidrParts(cidr);
  if (offset < 0n || offset >= size) throw new RangeError(`${cidr} has no address ${offset}`);
  return ipFrom(family, base + offset);
}

/** offsetIn is the inverse of addressAt. */
export function offsetIn(cidr: Cidr, ip: Ip): bigint {
  return ipValue(ip) - cidrParts(cidr).base;
}

/** swapPrefix keeps an address's host bits and replaces its network: GlobalNet's whole translation.
 *  Both networks have the same length, and the address lies in `from`. */
export function swapPrefix(ip: Ip, from: Cidr, to: Cidr): Ip {
  if (familyOf(ip) === 4 && familyOf(from) === 4 && familyOf(to) === 4) {
    if (!contains4(from, ip)) throw new RangeError(`${from} has no address ${ip}`);
    const base = (cidr: Cidr): number => ipv4Value(cidr.slice(0, cidr.indexOf("/")) as Ip);
    return ipv4From(ipv4Value(ip) - base(from) + base(to));
  }
  return addressAt(to, offsetIn(from, ip));
}
