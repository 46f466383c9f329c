import { readFileSync } from "node:fs";
import { encodeName } from "./wire-name.ts";

/** One seeded source of packets for the fuzzers: the same seed gives the same packets, wherever they are sent. */

/** Names the zone has, has not, or nearly has. */
const Z = "clusterset.local";
const NAMES = [
  Z,
  `svc.${Z}`,
  `shop.svc.${Z}`,
  `web.shop.svc.${Z}`,
  `db.shop.svc.${Z}`,
  `big.shop.svc.${Z}`,
  `_http._tcp.web.shop.svc.${Z}`,
  `_http._tcp.db.shop.svc.${Z}`,
  `p3.a.db.shop.svc.${Z}`,
  `a.db.shop.svc.${Z}`,
  `ns.dns.${Z}`,
  `dns-version.${Z}`,
  `no.${Z}`,
  "example.com",
  "local",
  ".",
].map((name) => {
  const octets = encodeName(name);
  if (!octets.ok) throw new Error(octets.error);
  return octets.value;
});
const TYPES = [1, 1, 1, 28, 33, 33, 2, 5, 6, 12, 15, 16, 35, 41, 43, 48, 64, 65, 249, 250, 251, 252, 255, 256, 0, 666];
const OPTIONS = [3, 5, 8, 9, 10, 10, 10, 11, 12, 15, 100, 65_535];
const COOKIE_LENGTHS = [0, 7, 8, 8, 8, 16, 24, 24, 40, 41];

/** Where packets that once failed stand, a line each: what it was, a tab, its octets in hex. */
const CORPUS = new URL("./fuzz-corpus.txt", import.meta.url);

/** readCorpus gives the packets that once failed, or are interesting for another reason. */
export function readCorpus(): readonly { readonly what: string; readonly octets: Uint8Array }[] {
  const lines = readFileSync(CORPUS, "utf8").split("\n");
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [what = "", hex = ""] = line.split("\t");
      return { what, octets: Uint8Array.fromHex(hex) };
    });
}

/** PacketSource writes one packet after another into the same memory. */
export class PacketSource {
  readonly octets = new Uint8Array(4096);
  length = 0;
  /** How the last packet was made. */
  kind = "";
  readonly #corpus: readonly Uint8Array[];
  readonly #cookie = new Uint8Array(24);
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995) | 1;
    this.#corpus = readCorpus().map(({ octets }) => octets);
  }

  /** below is a number from 0 to n - 1 (xorshift32). */
  below(n: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % n;
  }

  /** learn takes the cookie out of a reply that ends with one: later packets show it, so that good ones occur too. */
  learn(reply: Uint8Array): void {
    const at = reply.length - 24;
    if (at < 16 || reply[at - 4] !== 0 || reply[at - 3] !== 10 || reply[at - 2] !== 0 || reply[at - 1] !== 24) return;
    this.#cookie.set(reply.subarray(at));
  }

  /** next makes a packet: of ten, one is junk, one junk behind a good header, three a corpus's changed, the rest built by
   *  the grammar, and of those every other one is damaged as well. */
  next(): void {
    const kind = this.below(10);
    this.length = 0;
    if (kind === 0) this.#junk();
    else if (kind === 1) this.#header();
    else if (kind < 5) this.#mutated();
    else this.#built();
  }

  #junk(): void {
    this.kind = "random";
    const length = this.below(8) === 0 ? this.below(1500) : this.below(80);
    for (let i = 0; i < length; i++) this.#u8(this.below(256));
  }

  #header(): void {
    this.kind = "random behind a header";
    this.#u16(this.below(65_536));
    this.#u16(this.below(4) === 0 ? this.below(0x8000) : this.below(2) << 8);
    this.#u16(this.below(8) === 0 ? this.below(3) : 1);
    for (let i = 0; i < 3; i++) this.#u16(this.below(3) === 0 ? this.below(4) : 0);
    const length = this.below(200);
    for (let i = 0; i < length; i++) this.#u8(this.below(256));
  }

  #mutated(): void {
    this.kind = "mutated";
    if (this.#corpus.length === 0 || this.below(3) === 0) this.#message();
    else {
      const base = this.#corpus[this.below(this.#corpus.length)] as Uint8Array;
      this.octets.set(base);
      this.length = base.length;
    }
    this.#damage(1 + this.below(4));
  }

  #built(): void {
    this.kind = "built";
    this.#message();
    if (this.below(2) === 0) return;
    this.kind = "built and damaged";
    this.#damage(1);
  }

  /** damage sets, flips, cuts, inserts, repeats and points. */
  #damage(times: number): void {
    for (let i = 0; i < times && this.length > 0; i++) {
      const at = this.below(this.length);
      const how = this.below(7);
      if (how === 0) this.octets[at] = this.below(256);
      else if (how === 1) this.octets[at] = (this.octets[at] as number) ^ (1 << this.below(8));
      else if (how === 2) this.length = at;
      else if (how === 3) this.#insert(at, 1 + this.below(8));
      else if (how === 4) this.octets[at] = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xff][this.below(8)] as number;
      else if (how === 5 && at + 1 < this.length) this.#point(at);
      else this.#append(this.below(30));
    }
  }

  #insert(at: number, count: number): void {
    if (this.length + count > this.octets.length) return;
    this.octets.copyWithin(at + count, at, this.length);
    for (let i = 0; i < count; i++) this.octets[at + i] = this.below(256);
    this.length += count;
  }

  #point(at: number): void {
    this.octets[at] = 0xc0;
    this.octets[at + 1] = this.below(Math.min(256, this.length + 4));
  }

  #append(count: number): void {
    for (let i = 0; i < count; i++) this.#u8(this.below(256));
  }

  /** message is a whole query, sometimes with counts that lie. */
  #message(): void {
    const extras = this.below(4) === 0 ? 1 : 0;
    const opts = this.below(5) < 3 ? 1 + Number(this.below(20) === 0) : 0;
    this.#u16(this.below(65_536));
    this.#u16(this.below(10) === 0 ? this.below(0x8000) & this.below(0x8000) : this.below(0x200) & 0x1b0);
    const lie = this.below(25) === 0;
    this.#u16(lie ? this.below(3) : 1);
    const section = extras === 0 ? -1 : this.below(3);
    this.#u16(section === 0 ? 1 : lie ? this.below(65_536) : 0);
    this.#u16(section === 1 ? 1 : 0);
    this.#u16(opts + (section === 2 ? 1 : 0));
    this.#name();
    this.#u16(this.below(30) === 0 ? this.below(65_536) : (TYPES[this.below(TYPES.length)] as number));
    this.#u16(this.below(12) === 0 ? this.below(65_536) : 1);
    if (section >= 0) this.#record();
    for (let i = 0; i < opts; i++) this.#opt();
  }

  /** A name of the list, in mixed case now and then, or below one; or labels of any octets; or a bomb. */
  #name(): void {
    const how = this.below(30);
    if (how < 3) {
      for (let left = 1 + this.below(how === 0 ? 130 : 4); left > 0; left--) this.#label();
    }
    if (how === 3) {
      for (let left = this.below(200); left > 0; left--) this.#u16(0xc000 | this.below(300));
    }
    const known = NAMES[this.below(NAMES.length)] as Uint8Array;
    const mixed = this.below(4) === 0;
    for (const octet of known) {
      const letter = octet >= 0x61 && octet <= 0x7a;
      this.#u8(mixed && letter && this.below(2) === 0 ? octet - 0x20 : octet);
    }
  }

  #label(): void {
    const length = this.below(10) === 0 ? this.below(64) : 1 + this.below(5);
    this.#u8(length);
    for (let i = 0; i < length; i++) this.#u8(this.below(3) === 0 ? this.below(256) : 0x61 + this.below(26));
  }

  #record(): void {
    if (this.below(2) === 0) this.#u16(0xc000 | (this.below(2) === 0 ? 12 : this.below(64)));
    else this.#u8(0);
    this.#u16(TYPES[this.below(TYPES.length)] as number);
    this.#u16(1);
    this.#u16(0);
    this.#u16(this.below(65_536));
    const length = this.below(20);
    this.#u16(length);
    this.#append(length);
  }

  #opt(): void {
    this.#u8(this.below(30) === 0 ? 0xc0 : 0);
    this.#u16(41);
    this.#u16([0, 100, 511, 512, 1232, 4096, 65_535][this.below(7)] as number);
    this.#u8(this.below(10) === 0 ? this.below(256) : 0);
    this.#u8(this.below(10) === 0 ? this.below(256) : 0);
    this.#u16(this.below(3) === 0 ? this.below(65_536) : 0);
    const lengthAt = this.length;
    this.#u16(0);
    for (let left = this.below(4); left > 0; left--) this.#option();
    const length = this.length - lengthAt - 2 + (this.below(30) === 0 ? this.below(9) - 4 : 0);
    this.octets[lengthAt] = length >>> 8;
    this.octets[lengthAt + 1] = length;
  }

  #option(): void {
    const code = OPTIONS[this.below(OPTIONS.length)] as number;
    const length = code === 10 ? (COOKIE_LENGTHS[this.below(COOKIE_LENGTHS.length)] as number) : this.below(3) * 4;
    this.#u16(code);
    this.#u16(this.below(40) === 0 ? this.below(65_536) : length);
    if (code === 10 && length === 24) for (const octet of this.#cookie) this.#u8(octet);
    else this.#append(length);
  }

  #u8(value: number): void {
    if (this.length < this.octets.length) this.octets[this.length++] = value;
  }

  #u16(value: number): void {
    this.#u8(value >>> 8);
    this.#u8(value & 255);
  }
}
