import { BlockList, isIP, isIPv6, SocketAddress } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { familyOf, type Ip, ipBytes, ipFrom, ipValue, ipv4From, ipv4Value, isSpecial, parseIp } from "./ip.ts";
import { expect as right } from "./result.ts";

const ip = (text: string): Ip => right(parseIp(text));
const v4 = fc.nat(0xffff_ffff).map(ipv4From);
const v6 = fc.bigInt(0n, (1n << 128n) - 1n).map((value) => ipFrom(6, value));
/** Addresses with runs of zeros, where writers of IPv6 go wrong. */
const sparse = fc
  .array(fc.constantFrom("0", "1", "ffff", "db8"), { minLength: 8, maxLength: 8 })
  .map((groups) => groups.join(":"));

describe("parseIp() takes", () => {
  test.each([
    ["0.0.0.0", "0.0.0.0"],
    ["255.255.255.255", "255.255.255.255"],
    ["242.0.2.7", "242.0.2.7"],
    ["::", "::"],
    ["::1", "::1"],
    ["FD00:0:0:0::1", "fd00::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["::ffff:10.0.0.1", "::ffff:a00:1"],
  ])("%s, as %s (RFC 5952)", (text, canonical) => {
    expect(parseIp(text)).toEqual({ ok: true, value: canonical });
  });
});

describe("parseIp() refuses", () => {
  test.each([
    ["nothing", ""],
    ["a blank", " 10.0.0.1"],
    ["a line end", "10.0.0.1\n"],
    ["three parts", "10.0.1"],
    ["five parts", "10.0.0.0.1"],
    ["an empty part", "10..0.1"],
    ["a point at the end", "10.0.0.1."],
    ["a part that is too large", "10.0.0.256"],
    ["a leading zero, which others read as octal", "010.0.0.1"],
    ["hexadecimal", "0x0a.0.0.1"],
    ["one number", "167772161"],
    ["a sign", "10.0.0.-1"],
    ["a prefix", "10.0.0.0/8"],
    ["a port", "10.0.0.1:53"],
    ["two gaps", "1::2::3"],
    ["three colons", ":::1"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["seven groups", "1:2:3:4:5:6:7"],
    ["a group that is too long", "12345::1"],
    ["no hexadecimal", "12zz::1"],
    ["a zone", "fe80::1%eth0"],
    ["an IPv6 prefix", "fd00::/8"],
    ["brackets", "[::1]"],
    ["a bad IPv4 tail", "::ffff:10.0.0.256"],
    ["an IPv4 tail with a leading zero", "::ffff:010.0.0.1"],
    ["a name", "localhost"],
    ["digits of another script", "１０.0.0.1"],
  ])("%s: %j", (_what, text) => {
    expect(parseIp(text)).toEqual({ ok: false, error: `not an IP address: ${JSON.stringify(text)}` });
  });

  test("a long text without repeating all of it", () => {
    const refused = parseIp("9".repeat(10_000));
    expect(refused.ok ? "" : refused.error.length).toBeLessThan(120);
  });
});

describe("parseIp() agrees with Node", () => {
  test("on what an address is", () => {
    const alike = fc.string({ unit: fc.constantFrom(..."0123456789abcdefF.:"), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(alike, v4, v6, sparse), (text) => {
        expect(parseIp(text).ok).toBe(isIP(text) !== 0);
      }),
      { numRuns: 3000 },
    );
  });

  test("on how IPv6 is written, IPv4 in IPv6 apart", () => {
    fc.assert(
      fc.property(fc.oneof(v6, sparse), (text) => {
        const written = new SocketAddress({ address: text, family: "ipv6" }).address;
        if (!written.includes(".")) expect(parseIp(text)).toEqual({ ok: true, value: written });
      }),
      { numRuns: 1000 },
    );
  });
});

describe("addresses and numbers", () => {
  test("ipFrom() and ipValue() are each other's inverse", () => {
    fc.assert(
      fc.property(fc.oneof(v4, v6), (address) => {
        expect(ipFrom(familyOf(address), ipValue(address))).toBe(address);
        expect(parseIp(address)).toEqual({ ok: true, value: address });
      }),
    );
  });

  test("equal addresses are equal strings, however they were written", () => {
    fc.assert(
      fc.property(sparse, sparse, (a, b) => {
        expect(ip(a) === ip(b)).toBe(ipValue(ip(a)) === ipValue(ip(b)));
        expect(ip(a.toUpperCase())).toBe(ip(a));
      }),
    );
  });

  test("ipv4Value() and ipv4From() go over the sign bit", () => {
    expect([ipv4Value(ip("255.255.255.255")), ipv4Value(ip("242.0.0.1"))]).toEqual([0xffff_ffff, 0xf200_0001]);
    expect([ipv4From(0), ipv4From(0xffff_ffff)]).toEqual(["0.0.0.0", "255.255.255.255"]);
  });

  test("ipFrom() throws at what does not fit the family", () => {
    expect(() => ipFrom(4, 1n << 32n)).toThrow(RangeError);
    expect(() => ipFrom(6, 1n << 128n)).toThrow(RangeError);
    expect(() => ipFrom(4, -1n)).toThrow("-1 is no IPv4 address");
  });

  test("ipBytes() is network order", () => {
    expect([...ipBytes(ip("242.0.2.7"))]).toEqual([242, 0, 2, 7]);
    expect([...ipBytes(ip("fd00::1"))]).toEqual([0xfd, ...Array<number>(14).fill(0), 1]);
    fc.assert(
      fc.property(fc.oneof(v4, v6), (address) => {
        const value = ipBytes(address).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
        expect(value).toBe(ipValue(address));
      }),
    );
  });
});

describe("isSpecial() keeps addresses of the machine itself out of endpoints", () => {
  test.each([
    "0.0.0.0",
    "0.1.2.3",
    "127.0.0.1",
    "127.255.0.1",
    "169.254.169.254",
    "224.0.0.1",
    "239.1.2.3",
    "255.255.255.255",
  ])("%s", (text) => expect(isSpecial(ip(text))).toBe(true));
  test.each(["::", "::1", "fe80::1", "febf::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"])("%s", (text) =>
    expect(isSpecial(ip(text))).toBe(true),
  );
  test.each(["10.244.3.7", "242.0.0.1", "240.0.0.1", "169.253.0.1", "126.0.0.1", "128.0.0.1", "223.255.255.255"])(
    "but not %s",
    (text) => expect(isSpecial(ip(text))).toBe(false),
  );
  test.each(["fd00::1", "2001:db8::1", "fec0::1", "fe7f::1", "::2"])("nor %s", (text) =>
    expect(isSpecial(ip(text))).toBe(false),
  );

  test("as Node's list of these networks says", () => {
    const list = new BlockList();
    for (const [net, length] of [
      ["0.0.0.0", 8],
      ["127.0.0.0", 8],
      ["169.254.0.0", 16],
      ["224.0.0.0", 4],
      ["255.255.255.255", 32],
    ] as const)
      list.addSubnet(net, length, "ipv4");
    fc.assert(
      fc.property(v4, (address) => void expect(isSpecial(address)).toBe(list.check(address, "ipv4"))),
      { numRuns: 2000 },
    );
  });
});

test("familyOf() tells the families apart as Node does", () => {
  fc.assert(fc.property(fc.oneof(v4, v6), (address) => void expect(familyOf(address) === 6).toBe(isIPv6(address))));
});
