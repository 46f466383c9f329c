import { BlockList } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  addressAt,
  type Cidr,
  cidrFamily,
  cidrOf,
  cidrParts,
  contains,
  covers,
  networkOf,
  offsetIn,
  overlaps,
  parseCidr,
  swapPrefix,
} from "./cidr.ts";
import { BITS, type Family, familyOf, type Ip, ipFrom, parseIp } from "./ip.ts";
import { expect as right } from "./result.ts";

const cidr = (text: string): Cidr => right(parseCidr(text));
const ip = (text: string): Ip => right(parseIp(text));
const family = fc.constantFrom<Family>(4, 6);
const addressOf = (of: Family): fc.Arbitrary<Ip> =>
  fc.bigInt(0n, (1n << BigInt(BITS[of])) - 1n).map((value) => ipFrom(of, value));
const address = family.chain(addressOf);
const network = family.chain((of) =>
  fc.tuple(addressOf(of), fc.nat(BITS[of])).map(([base, length]) => networkOf(base, length)),
);
/** Networks that often meet: few bits of one small space. */
const near = fc
  .tuple(fc.nat(255), fc.integer({ min: 24, max: 32 }))
  .map(([host, length]) => networkOf(ip(`10.0.0.${host}`), length));

describe("parseCidr()", () => {
  test.each(["0.0.0.0/0", "10.0.0.0/8", "242.128.0.0/9", "10.244.3.7/32", "::/0", "fd00::/8", "2001:db8::1/128"])(
    "takes %s",
    (text) => expect(parseCidr(text)).toEqual({ ok: true, value: text }),
  );

  test("writes IPv6 as RFC 5952 does, so that equal networks are equal strings", () => {
    expect(parseCidr("FD00:0:0::/48")).toEqual({ ok: true, value: "fd00::/48" });
    expect(parseCidr("fd00:0000::/48")).toEqual(parseCidr("fd00::/48"));
  });

  test.each([
    ["10.0.0.1/8", "10.0.0.1/8 has host bits set; write 10.0.0.0/8"],
    ["fd00::1/64", "fd00::1/64 has host bits set; write fd00::/64"],
    ["10.0.0.0/33", "a prefix of IPv4 is at most /32: 10.0.0.0/33"],
    ["fd00::/129", "a prefix of IPv6 is at most /128: fd00::/129"],
  ])("refuses %s and says what was meant", (text, error) => {
    expect(parseCidr(text)).toEqual({ ok: false, error });
  });

  test.each([
    "",
    "/",
    "10.0.0.0",
    "10.0.0.0/",
    "/8",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/8/8",
    "10.0.0.0/8 ",
    "10.0.0.0/255.0.0.0",
    "10.0.0/8",
    "x/8",
    "10.0.0.0/1e1",
  ])("refuses %j and shows what one looks like", (text) => {
    expect(parseCidr(text)).toEqual({
      ok: false,
      error: `not a CIDR, which looks like 10.0.0.0/8: ${JSON.stringify(text)}`,
    });
  });

  test("reads back every network that networkOf() writes", () => {
    fc.assert(fc.property(network, (net) => void expect(parseCidr(net)).toEqual({ ok: true, value: net })));
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => void expect(parseCidr(`${a}/${b}`)).toHaveProperty("ok")),
    );
  });
});

describe("cidrParts()", () => {
  test("takes a network apart", () => {
    expect(cidrParts(cidr("10.244.0.0/16"))).toEqual({ family: 4, base: 0x0af4_0000n, length: 16, size: 65_536n });
    expect(cidrParts(cidr("::/0"))).toEqual({ family: 6, base: 0n, length: 0, size: 1n << 128n });
  });

  test("and cidrOf() are each other's inverse", () => {
    fc.assert(
      fc.property(network, (net) => {
        const { family: of, base, length } = cidrParts(net);
        expect(cidrOf(of, base, length)).toBe(net);
        expect(cidrFamily(net)).toBe(of);
      }),
    );
  });
});

describe("contains()", () => {
  test("agrees with Node's BlockList", () => {
    fc.assert(
      fc.property(network, address, (net, at) => {
        const { length } = cidrParts(net);
        const list = new BlockList();
        list.addSubnet(net.slice(0, net.indexOf("/")), length, familyOf(net) === 4 ? "ipv4" : "ipv6");
        // BlockList takes an IPv4 address for the IPv6 one that it maps to; for us the families are strangers.
        const wanted = familyOf(at) === familyOf(net) && list.check(at, familyOf(at) === 4 ? "ipv4" : "ipv6");
        if (length > 0) expect(contains(net, at)).toBe(wanted);
      }),
    );
  });

  test("is true of the first and last address, and false of their neighbours", () => {
    const net = cidr("10.244.0.0/16");
    const asked = ["10.243.255.255", "10.244.0.0", "10.244.255.255", "10.245.0.0"].map((at) => contains(net, ip(at)));
    expect(asked).toEqual([false, true, true, false]);
  });

  test("is never true of the other family", () => {
    expect(contains(cidr("::/0"), ip("10.0.0.1"))).toBe(false);
    expect(contains(cidr("0.0.0.0/0"), ip("::1"))).toBe(false);
    expect(contains(cidr("10.0.0.0/8"), ip("::ffff:10.0.0.1"))).toBe(false);
  });
});

describe("covers() and overlaps()", () => {
  test("a network covers itself, and covering is one-way unless they are equal", () => {
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(covers(a, a)).toBe(true);
        expect(covers(a, b) && covers(b, a)).toBe(a === b);
      }),
    );
  });

  test("covering passes on", () => {
    fc.assert(
      fc.property(near, near, near, (a, b, c) => {
        if (covers(a, b) && covers(b, c)) expect(covers(a, c)).toBe(true);
      }),
    );
  });

  test("overlaps() means that there is an address in both", () => {
    fc.assert(
      fc.property(near, near, (a, b) => {
        const both = Array.from({ length: 256 }, (_, host) => ip(`10.0.0.${host}`)).some(
          (at) => contains(a, at) && contains(b, at),
        );
        expect(overlaps(a, b)).toBe(both);
        expect(overlaps(b, a)).toBe(both);
      }),
      { numRuns: 50 },
    );
  });

  test("families never meet", () => {
    expect(overlaps(cidr("0.0.0.0/0"), cidr("::/0"))).toBe(false);
  });
});

describe("places in a network", () => {
  test("addressAt() and offsetIn() are each other's inverse", () => {
    fc.assert(
      fc.property(network, fc.bigInt(0n, 1n << 128n), (net, wide) => {
        const offset = wide % cidrParts(net).size;
        expect(offsetIn(net, addressAt(net, offset))).toBe(offset);
        expect(contains(net, addressAt(net, offset))).toBe(true);
      }),
    );
  });

  test("addressAt() throws outside of the network", () => {
    expect(() => addressAt(cidr("10.0.0.0/30"), 4n)).toThrow("10.0.0.0/30 has no address 4");
    expect(() => addressAt(cidr("10.0.0.0/30"), -1n)).toThrow(RangeError);
  });
});

describe("swapPrefix()", () => {
  test("keeps the host bits: pod 10.244.3.7 of member 2 is 242.2.3.7", () => {
    expect(swapPrefix(ip("10.244.3.7"), cidr("10.244.0.0/16"), cidr("242.2.0.0/16"))).toBe("242.2.3.7");
    expect(swapPrefix(ip("fd00::3:7"), cidr("fd00::/64"), cidr("fd77:1::/64"))).toBe("fd77:1::3:7");
  });

  test("is undone by the swap back", () => {
    const pair = fc.tuple(
      fc.integer({ min: 1, max: 30 }),
      fc.nat(0xffff_ffff),
      fc.nat(0xffff_ffff),
      fc.nat(0xffff_ffff),
    );
    fc.assert(
      fc.property(pair, ([length, a, b, host]) => {
        const [from, to] = [networkOf(ipFrom(4, BigInt(a)), length), networkOf(ipFrom(4, BigInt(b)), length)];
        const at = addressAt(from, BigInt(host) % cidrParts(from).size);
        const swapped = swapPrefix(at, from, to);
        expect(contains(to, swapped)).toBe(true);
        expect(swapPrefix(swapped, to, from)).toBe(at);
      }),
    );
  });

  test("throws at an address that is not in the network", () => {
    expect(() => swapPrefix(ip("10.245.0.1"), cidr("10.244.0.0/16"), cidr("242.2.0.0/16"))).toThrow(RangeError);
  });
});
