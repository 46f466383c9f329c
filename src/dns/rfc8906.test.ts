import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import { type Asked, FLAG, type MessageOptions, message, nameOf, octets16 } from "./testbed.ts";
import { MODES, type Wire, wire } from "./testbed-wire.ts";
import { concat } from "./wire-name.ts";

/** RFC 8906 section 8, as ISC's genreport and hickory's conformance tests read it, at the apex of the zone. */
const Z = "clusterset.local";
const COOKIE = Uint8Array.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
const NSID = octets16(3, 0);
const EXPIRE = octets16(9, 0);
const SUBNET = Uint8Array.from([0, 8, 0, 4, 0, 1, 0, 0]);
const OPTION100 = octets16(100, 0);
const DO = 0x8000;

/** The reply is the apex's SOA, whatever its serial. */
function expectSoa(got: Asked): void {
  expect(got).toMatchObject({ rcode: "NOERROR", opcode: 0, authoritative: true, authorities: [], additionals: [] });
  expect(got.answers.map((line) => line.replace(/ \d+ 7200/, " SERIAL 7200"))).toEqual([
    `${Z} 5 SOA ns.dns.${Z} hostmaster.${Z} SERIAL 7200 1800 86400 5`,
  ]);
}

/** Root, OPT, our size, high bits of the code, version 0, flags, then the options' length and octets. */
function optOf(rcodeHigh: number, flags: number, options = ""): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, "0");
  return `00002904d0${hex(rcodeHigh, 2)}00${hex(flags & DO, 4)}${hex(options.length / 2, 4)}${options}`;
}

describe.each(MODES)("RFC 8906 by %s", (mode) => {
  let bed: Wire;
  beforeAll(async () => {
    bed = await wire(mode, [virtual(), headless(pods(40))]);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  describe("8.1 without EDNS", () => {
    const plain: readonly (readonly [row: string, flags: number, back: number])[] = [
      ["dns", 0, 0],
      ["cd", FLAG.CD, FLAG.CD],
      ["ad", FLAG.AD, 0],
      ["zflag", FLAG.Z, 0],
      ["rd", FLAG.RD, FLAG.RD],
      ["aa", FLAG.AA, 0],
      ["ra", FLAG.RA, 0],
      ["tc", FLAG.TC, 0],
    ];
    test.each(plain)("[5.3-%s] the SOA, authoritative, no OPT", async (_, flags, back) => {
      const got = await bed.ask(Z, "SOA", { flags });
      expectSoa(got);
      expect(got).toMatchObject({ edns: false, flags: FLAG.QR | FLAG.AA | back, id: 0x1234 });
    });

    test("[5.3-tcp] as by UDP", async () => {
      const got = await bed.ask(Z, "SOA", { tcp: true });
      expectSoa(got);
      expect(got).toMatchObject({ edns: false, flags: FLAG.QR | FLAG.AA });
    });

    test.each([666, 1000])("[5.3-type666] TYPE%i: NOERROR, empty, authoritative, no OPT", async (type) => {
      const got = await bed.ask(Z, type);
      expect(got).toMatchObject({ rcode: "NOERROR", answers: [], authoritative: true, edns: false });
    });

    test("[5.3-typesweep] no type of a question is an error but transfers", async () => {
      const refused: number[] = [];
      for (let type = 0; type <= 300; type++) {
        const { rcode } = await bed.ask(Z, type);
        if (rcode === "REFUSED") refused.push(type);
        else expect([type, rcode]).toEqual([type, "NOERROR"]);
      }
      expect(refused).toEqual([251, 252]);
    });

    test("[5.3-opcode] NOTIMP, the header alone, the opcode back, nothing else", async () => {
      const header = octets16(0xabcd, 15 << 11, 0, 0, 0, 0);
      expect((await bed.raw(header)).toHex()).toBe("abcdf8040000000000000000");
      expect((await bed.raw(header, true)).toHex()).toBe("abcdf8040000000000000000");
    });

    test("[5.3-opcodequestion] NOTIMP without any record", async () => {
      const got = await bed.ask(Z, "SOA", { flags: 15 << 11 });
      expect(got).toMatchObject({ rcode: "NOTIMP", opcode: 15, answers: [], authorities: [], additionals: [] });
    });

    test("[5.3-opcodeflg] no flag of an unknown opcode comes back", async () => {
      const every = FLAG.AA | FLAG.TC | FLAG.RD | FLAG.RA | FLAG.Z | FLAG.AD | FLAG.CD;
      const got = await bed.ask(Z, "SOA", { flags: (15 << 11) | every });
      expect(got).toMatchObject({ rcode: "NOTIMP", opcode: 15, flags: FLAG.QR });
    });
  });

  describe("8.2 with EDNS", () => {
    type Row = readonly [row: string, edns: NonNullable<MessageOptions["edns"]>, flags: number];
    const bare: readonly Row[] = [
      ["edns", {}, 0],
      ["ednsopt", { options: OPTION100 }, 0],
      ["ednsflags", { flags: 0x80 }, 0],
      ["ednsflags", { flags: 0x40 }, 0],
      ["do", { flags: DO }, 0],
      ["ednsnsid", { options: NSID }, 0],
      ["ednsexpire", { options: EXPIRE }, 0],
      ["ednssubnet", { options: SUBNET }, 0],
      ["docd", { flags: DO }, FLAG.CD],
    ];
    test.each(bare)("[5.3-%s] the SOA, and an OPT of version 0 without options", async (_, edns, flags) => {
      const got = await bed.ask(Z, "SOA", { edns, flags });
      expectSoa(got);
      expect(got.octets.toHex().slice(-22)).toBe(optOf(0, edns.flags ?? 0));
    });

    const withCookie: readonly Row[] = [
      ["ednscookie", { options: COOKIE }, 0],
      ["optlist", { options: concat(NSID, SUBNET, EXPIRE, COOKIE) }, 0],
      ["bind11", { options: COOKIE, flags: DO }, 0],
      ["dig11", { options: COOKIE }, FLAG.AD | FLAG.RD],
    ];
    test.each(withCookie)("[5.3-%s] the SOA, and of options a cookie alone", async (_, edns, flags) => {
      const got = await bed.ask(Z, "SOA", { edns, flags });
      expectSoa(got);
      const opt = got.octets.toHex().slice(-22 - 2 * 28);
      expect(opt.slice(0, 22 + 24)).toBe(`${optOf(0, edns.flags ?? 0).slice(0, 18)}001c000a00180102030405060708`);
      expect(opt.slice(22 + 24, 22 + 32)).toBe("01000000"); // RFC 9018: version 1, three octets reserved
    });

    const badVersion: readonly Row[] = [
      ["edns1", { version: 1 }, 0],
      ["edns1flags", { version: 1, flags: 0x40 }, 0],
      ["edns1opt", { version: 1, options: OPTION100 }, 0],
      ["edns1do", { version: 1, flags: DO }, 0],
      ["edns1options", { version: 1, options: NSID }, 0],
      ["edns1options", { version: 1, options: concat(COOKIE, SUBNET, EXPIRE) }, 0],
      ["edns1", { version: 255 }, 0],
    ];
    test.each(badVersion)("[5.3-%s] BADVERS, empty, our version, DO alone echoed", async (_, edns) => {
      const got = await bed.ask(Z, "SOA", { edns });
      expect(got).toMatchObject({ rcode: "BADVERS", authoritative: false, edns: true, answers: [], authorities: [] });
      expect(got.octets.toHex().slice(-22)).toBe(optOf(1, edns.flags ?? 0));
    });

    test("[5.3-edns512] at most 512 octets, OPT present, and TC where the answer is larger", async () => {
      const none = await bed.ask(Z, "DNSKEY", { edns: { size: 512, flags: DO } });
      expect(none).toMatchObject({ rcode: "NOERROR", answers: [], edns: true });
      const cut = await bed.ask(`db.shop.svc.${Z}`, "A", { edns: { size: 512 } });
      expect(cut).toMatchObject({ truncated: true, edns: true });
      expect(cut.bytes).toBeLessThanOrEqual(512);
      const withCookieToo = await bed.ask(`db.shop.svc.${Z}`, "A", { edns: { size: 512, options: COOKIE } });
      expect(withCookieToo.bytes).toBeLessThanOrEqual(512);
    });

    test("[5.3-ednstcp] not cut by TCP, whatever size is said", async () => {
      const none = await bed.ask(Z, "DNSKEY", { tcp: true, edns: { size: 512, flags: DO } });
      expect(none).toMatchObject({ rcode: "NOERROR", truncated: false });
      const whole = await bed.ask(`db.shop.svc.${Z}`, "A", { tcp: true, edns: { size: 512, flags: DO } });
      expect(whole).toMatchObject({ truncated: false, edns: true });
      expect(whole.answers).toHaveLength(40);
    });

    test("[5.3-dnswkk] a TSIG that nobody can check is ignored, not a reason for silence", async () => {
      const tsig = concat(Uint8Array.of(0), octets16(250, 255, 0, 0, 0));
      const got = await bed.send(message(Z, "SOA", { tail: tsig, counts: [1, 0, 0, 1] }));
      expectSoa(got);
    });
  });
});

describe.each(MODES)("options that are asked for and configured, by %s", (mode) => {
  test("NSID names the server to who asks for it, and to nobody else (RFC 5001)", async () => {
    await using bed = await wire(mode, [], { packets: { nsid: "gw-1" } });
    const named = await bed.ask(Z, "SOA", { edns: { options: NSID } });
    expect(named.octets.toHex().slice(-38)).toBe(optOf(0, 0, "0003000467772d31"));
    expect((await bed.ask(Z, "SOA", { edns: {} })).octets.toHex().slice(-22)).toBe(optOf(0, 0));
  });

  test("the longest question and every option fit 512 octets", async () => {
    await using bed = await wire(mode, [], { packets: { nsid: "x".repeat(128) } });
    const below = (255 - 18) >> 1;
    const name = concat(...Array.from({ length: below }, () => Uint8Array.of(1, 97)), nameOf(Z));
    const query = message(name, "A", { edns: { size: 512, options: concat(NSID, COOKIE) } });
    expect(name.length).toBeGreaterThan(253);
    const { bytes, rcode, truncated } = await bed.send(query);
    expect([rcode, truncated]).toEqual(["NXDOMAIN", false]);
    expect(bytes).toBeGreaterThan(480);
    expect(bytes).toBeLessThanOrEqual(512);
  });

  test("keepalive says by TCP how long an idle connection stays, and nothing by UDP (RFC 7828)", async () => {
    await using bed = await wire(mode, []);
    const edns = { options: octets16(11, 0) };
    expect((await bed.ask(Z, "SOA", { edns })).octets.toHex().slice(-22)).toBe(optOf(0, 0));
    const tcp = await bed.ask(Z, "SOA", { edns, tcp: true });
    expect(tcp.octets.toHex().slice(-34)).toBe(optOf(0, 0, "000b0002012c")); // 300 × 100 ms
  });

  test("without cookies a cookie is an unknown option, of whatever length", async () => {
    await using bed = await wire(mode, [], { packets: { cookies: false } });
    for (const options of [COOKIE, octets16(10, 1, 0).slice(0, 5)]) {
      expect((await bed.ask(Z, "SOA", { edns: { options } })).octets.toHex().slice(-22)).toBe(optOf(0, 0));
    }
  });
});
