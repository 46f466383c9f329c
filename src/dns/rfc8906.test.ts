import { describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import { FLAG, type MessageOptions, message, octets16, testbed } from "./testbed.ts";

/** RFC 8906 section 8, as ISC's genreport and hickory's conformance tests read it, at the apex of the zone. */
const Z = "clusterset.local";
const bed = testbed([virtual(), headless(pods(40))]);
const SOA_LINE = `${Z} 5 SOA ns.dns.${Z} hostmaster.${Z} 1000 7200 1800 86400 5`;
const COOKIE = Uint8Array.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
const NSID = octets16(3, 0);
const EXPIRE = octets16(9, 0);
const SUBNET = Uint8Array.from([0, 8, 0, 4, 0, 1, 0, 0]);
const OPTION100 = octets16(100, 0);

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

describe("8.1 without EDNS", () => {
  const plain: readonly (readonly [row: string, flags: number, back: number])[] = [
    ["8.1.1 dns", 0, 0],
    ["8.1.3.1 cd", FLAG.CD, FLAG.CD],
    ["8.1.3.2 ad", FLAG.AD, 0],
    ["8.1.3.3 zflag", FLAG.Z, 0],
    ["8.1.3.4 rd", FLAG.RD, FLAG.RD],
    ["aa", FLAG.AA, 0],
    ["ra", FLAG.RA, 0],
    ["tc", FLAG.TC, 0],
  ];
  test.each(plain)("%s: the SOA, authoritative, no OPT", (_, flags, back) => {
    const got = bed.ask(Z, "SOA", { flags });
    expect(got).toMatchObject({
      rcode: "NOERROR",
      opcode: 0,
      edns: false,
      flags: FLAG.QR | FLAG.AA | back,
      id: 0x1234,
    });
    expect(got.answers).toEqual([SOA_LINE]);
  });

  test("8.1.2 type666 and type1000: NOERROR, empty, authoritative, no OPT", () => {
    for (const type of [666, 1000]) {
      expect(bed.ask(Z, type)).toMatchObject({ rcode: "NOERROR", answers: [], authoritative: true, edns: false });
    }
  });

  test("the type sweep: no type of a question is an error but transfers", () => {
    const refused: number[] = [];
    for (let type = 0; type <= 300; type++) {
      const { rcode } = bed.ask(Z, type);
      if (rcode === "REFUSED") refused.push(type);
      else expect([type, rcode]).toEqual([type, "NOERROR"]);
    }
    expect(refused).toEqual([251, 252]);
  });

  test("8.1.4 opcode: NOTIMP, the header alone, the opcode back, nothing else", () => {
    const header = octets16(0xabcd, 15 << 11, 0, 0, 0, 0);
    expect(bed.raw(header).toHex()).toBe("abcdf8040000000000000000");
    expect(bed.send(message(Z, "SOA", { flags: 15 << 11 }))).toMatchObject({ rcode: "NOTIMP", opcode: 15, bytes: 12 });
  });

  test("opcodeflg: none of seven flags is reflected", () => {
    const all = FLAG.AA | FLAG.TC | FLAG.RD | FLAG.RA | FLAG.Z | FLAG.AD | FLAG.CD;
    expect(bed.raw(octets16(1, (15 << 11) | all, 0, 0, 0, 0)).toHex()).toBe("0001f8040000000000000000");
  });

  test("8.1.5 tcp: as by UDP", () => {
    expect(bed.ask(Z, "SOA", { tcp: true }).answers).toEqual([SOA_LINE]);
  });
});

describe("8.2 with EDNS", () => {
  type Row = readonly [row: string, edns: NonNullable<MessageOptions["edns"]>];
  const DO = 0x8000;
  const answered: readonly Row[] = [
    ["8.2.1 edns", {}],
    ["8.2.3 ednsopt", { options: OPTION100 }],
    ["8.2.4 ednsflags", { flags: 0x80 }],
    ["8.2.4 ednsflags of another kind", { flags: 0x40 }],
    ["8.2.10 optlist", { options: join(NSID, SUBNET, EXPIRE, COOKIE) }],
    ["ednsnsid", { options: NSID }],
    ["ednscookie", { options: COOKIE }],
    ["ednsexpire", { options: EXPIRE }],
    ["ednssubnet", { options: SUBNET }],
    ["bind11", { options: COOKIE, flags: DO }],
  ];
  test.each(answered)("%s: the SOA, and an OPT of version 0 without options", (_, edns) => {
    const got = bed.ask(Z, "SOA", { edns });
    expect(got).toMatchObject({ rcode: "NOERROR", authoritative: true, edns: true, answers: [SOA_LINE] });
    // Root, OPT, our size, code 0, version 0, DO alone of the flags, no options.
    const flags = ((edns.flags ?? 0) & DO) === 0 ? "0000" : "8000";
    expect(got.octets.toHex().slice(-22)).toBe(`00002904d00000${flags}0000`);
  });

  const badVersion: readonly Row[] = [
    ["8.2.2 edns1", { version: 1 }],
    ["8.2.5 edns1 and flags", { version: 1, flags: 0x40 }],
    ["8.2.6 edns1opt", { version: 1, options: OPTION100 }],
    ["8.2.9 edns1do", { version: 1, flags: DO }],
    ["edns1nsid", { version: 1, options: NSID }],
    ["edns255", { version: 255 }],
  ];
  test.each(badVersion)("%s: BADVERS, empty, our version, DO echoed alone", (_, edns) => {
    // The version is the low octet of the OPT's first 16 bits of TTL.
    const got = bed.ask(Z, "SOA", { edns });
    expect(got).toMatchObject({ rcode: "BADVERS", authoritative: false, edns: true, answers: [], authorities: [] });
    const flags = ((edns.flags ?? 0) & DO) === 0 ? "0000" : "8000";
    expect(got.octets.toHex().slice(-22)).toBe(`00002904d00100${flags}0000`);
  });

  test("8.2.8 do: DO=1 in the reply's OPT", () => {
    expect(
      bed
        .ask(Z, "SOA", { edns: { flags: DO } })
        .octets.toHex()
        .slice(-8),
    ).toBe("80000000");
  });

  test("8.2.7 edns@512: at most 512 octets, OPT present, and TC where the answer is larger", () => {
    expect(bed.ask(Z, "DNSKEY", { edns: { size: 512, flags: DO } })).toMatchObject({ rcode: "NOERROR", answers: [] });
    const cut = bed.ask(`db.shop.svc.${Z}`, "A", { edns: { size: 512 } });
    expect(cut).toMatchObject({ truncated: true, edns: true });
    expect(cut.bytes).toBeLessThanOrEqual(512);
  });

  test("8.2.11 ednstcp: not cut by TCP, whatever size is said", () => {
    const whole = bed.ask(`db.shop.svc.${Z}`, "A", { tcp: true, edns: { size: 512, flags: DO } });
    expect(whole).toMatchObject({ truncated: false, edns: true });
    expect(whole.answers).toHaveLength(40);
  });

  test("docd and dig11: AD and CD with EDNS change nothing", () => {
    const flags = FLAG.CD | FLAG.AD | FLAG.RD;
    expect(bed.ask(Z, "SOA", { flags, edns: { flags: DO, options: COOKIE } }).answers).toEqual([SOA_LINE]);
  });

  test("dnswkk: a TSIG that nobody can check is ignored, not a reason for silence", () => {
    const tsig = join(Uint8Array.of(0), octets16(250, 255, 0, 0, 0));
    expect(bed.send(message(Z, "SOA", { tail: tsig, counts: [1, 0, 0, 1] })).rcode).toBe("NOERROR");
  });
});
