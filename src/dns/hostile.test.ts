import { describe, expect, test } from "vitest";
import { HTTP, headless, pods, virtual } from "./example-services.ts";
import { FLAG, message, nameOf, octets16, optRecord, testbed } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const bed = testbed([virtual(), headless(pods(40))]);
const QUESTION_END = 12 + nameOf(WEB).length + 4;
const SILENCE = new Uint8Array(0);

/** A question whose name is these octets, in an otherwise good query. */
function named(...octets: readonly number[]): Uint8Array {
  return message(Uint8Array.from(octets), "A");
}

describe("5.4 silence", () => {
  test("M1: 0 to 11 octets", () => {
    for (let length = 0; length < 12; length++) expect(bed.raw(new Uint8Array(length))).toEqual(SILENCE);
  });

  test("M2: a response, with any opcode and code", () => {
    for (let low = 0; low < 0x8000; low += 37) {
      expect(bed.raw(message(WEB, "A", { flags: FLAG.QR | low }))).toEqual(SILENCE);
    }
  });
});

describe("5.4 FORMERR", () => {
  const bare: readonly (readonly [row: string, query: Uint8Array])[] = [
    ["M3 no question", octets16(1, 0, 0, 0, 0, 0)],
    ["M4 two questions", message(WEB, "A", { counts: [2, 0, 0, 0], tail: concat(nameOf(WEB), octets16(1, 1)) })],
    ["M5 no octets of the question", octets16(1, 0, 1, 0, 0, 0)],
    ["M6 65,535 questions", octets16(1, 0, 0xffff, 0, 0, 0)],
    ["M6 65,535 of everything", octets16(1, 0, 0xffff, 0xffff, 0xffff, 0xffff)],
    ["M7 a pointer to itself", named(0xc0, 0x0c)],
    ["M7 a pointer forward", named(0xc0, 0x20)],
    ["M7 a ring of two", named(1, 97, 0xc0, 0x10, 0xc0, 0x0c)],
    ["M7 a pointer into the header", named(1, 97, 0xc0, 0x00)],
    ["M7 a backward pointer in the question", named(1, 97, 0xc0, 0x0c)],
    ["M7 a chain of 127 pointers", named(...Array.from({ length: 127 }, (_, i) => [0xc0, 12 + 2 * i]).flat(), 0)],
    ["M8 label type 01", named(0x40, 97, 0)],
    ["M8 label type 10", named(0x80, 97, 0)],
    ["M8 an EDNS extended label", named(0x41, 97, 0)],
  ];
  test.each(bare)("%s: the header alone, id kept", (_, query) => {
    expect(bed.send(query)).toMatchObject({ rcode: "FORMERR", bytes: 12, id: (query[0] ?? 0) * 256 + (query[1] ?? 0) });
  });

  test("M9: a name of 255 octets is a name, one of 257 is none", () => {
    const labels = (n: number): number[] => Array.from({ length: n }, () => [1, 97]).flat();
    expect(bed.send(named(...labels(127), 0)).rcode).toBe("REFUSED");
    expect(bed.send(named(...labels(128), 0)).rcode).toBe("FORMERR");
  });

  test("M5: cut anywhere, a query is FORMERR, with its question once that is whole", () => {
    const query = message(WEB, "A", { edns: { options: octets16(10, 4, 0, 0) } });
    for (let length = 12; length < query.length; length++) {
      const { rcode, bytes } = bed.send(query.slice(0, length));
      expect([length, rcode]).toEqual([length, "FORMERR"]);
      expect(bytes).toBeLessThanOrEqual(length < QUESTION_END ? 12 : QUESTION_END + 11);
    }
  });

  const OPT = optRecord();
  const named41 = concat(nameOf("x"), OPT.slice(1));
  const echoed: readonly (readonly [row: string, query: Uint8Array])[] = [
    [
      "M5 RDLENGTH beyond the end",
      message(WEB, "A", { tail: concat(OPT.slice(0, 9), octets16(9)), counts: [1, 0, 0, 1] }),
    ],
    ["M6 65,535 answers", message(WEB, "A", { counts: [1, 0xffff, 0, 0] })],
    ["M6 one answer and no octets of it", message(WEB, "A", { counts: [1, 1, 0, 0] })],
    ["M12 two OPT", message(WEB, "A", { tail: concat(OPT, OPT), counts: [1, 0, 0, 2] })],
    ["M12 OPT not at the root", message(WEB, "A", { tail: named41, counts: [1, 0, 0, 1] })],
    ["M12 OPT in Answer", message(WEB, "A", { tail: OPT, counts: [1, 1, 0, 0] })],
    ["M12 OPT in Authority", message(WEB, "A", { tail: OPT, counts: [1, 0, 1, 0] })],
    ["M13 an option past the end", message(WEB, "A", { edns: { options: octets16(10, 9, 1) } })],
    ["M13 half an option", message(WEB, "A", { edns: { options: Uint8Array.of(0, 10, 0) } })],
    ["M29 three additional records", message(WEB, "A", { tail: concat(OPT), counts: [1, 0, 0, 3] })],
    [
      "M7 an owner that points to itself",
      message(WEB, "A", { tail: concat(octets16(0xc000 | QUESTION_END), OPT.slice(1)), counts: [1, 0, 0, 1] }),
    ],
  ];
  test.each(echoed)("%s: the question comes back, nothing else", (_, query) => {
    const got = bed.send(query);
    expect(got).toMatchObject({ rcode: "FORMERR", authoritative: false, answers: [], authorities: [] });
    expect(got.octets.slice(12, QUESTION_END)).toEqual(query.slice(12, QUESTION_END));
    expect(got.bytes).toBeLessThanOrEqual(QUESTION_END + 11);
  });

  test("M13: FORMERR for a bad option has an OPT", () => {
    expect(bed.send(message(WEB, "A", { edns: { options: octets16(10, 9, 1) } })).edns).toBe(true);
  });
});

describe("5.4 answered all the same", () => {
  test("M10: octets that are no letters are themselves", () => {
    for (const octet of [0x00, 0x20, 0x2e, 0xff, 0x5c]) {
      const name = concat(Uint8Array.of(3, 119, octet, 98), nameOf(`shop.svc.${Z}`));
      const got = bed.send(message(name, "A"));
      expect(got.rcode).toBe("NXDOMAIN");
      expect(got.octets.slice(12, 12 + name.length)).toEqual(name);
    }
    // One label `web.shop` is not two.
    const dotted = concat(Uint8Array.of(8), new TextEncoder().encode("web.shop"), nameOf(`svc.${Z}`));
    expect(bed.send(message(dotted, "A")).rcode).toBe("NXDOMAIN");
  });

  test("M10: only ASCII has case", () => {
    // 0xe5 and 0xc5 are å and Å in Latin-1; @ and `, [ and { differ by the case bit alone.
    const odd = testbed([virtual({ name: "a`b" })]);
    expect(odd.send(message(`a\`b.shop.svc.${Z}`, "A")).rcode).toBe("NOERROR");
    expect(odd.send(message(`a@b.shop.svc.${Z}`, "A")).rcode).toBe("NXDOMAIN");
  });

  test("M11: garbage behind the last record is ignored", () => {
    expect(bed.send(message(WEB, "A", { tail: new Uint8Array(100).fill(0xff) })).answers).toHaveLength(1);
  });

  test("M14, M15: cookies and client subnets of any length are ignored", () => {
    for (const length of [0, 7, 9, 15, 41]) {
      const options = concat(octets16(10, length), new Uint8Array(length), octets16(8, 3), new Uint8Array(3));
      expect(bed.send(message(WEB, "A", { edns: { options } }))).toMatchObject({ rcode: "NOERROR", edns: true });
    }
  });

  test.each([0, 100, 511])("M16: a UDP size of %i is 512", (size) => {
    const { bytes, truncated } = bed.ask(`db.shop.svc.${Z}`, "A", { edns: { size } });
    expect(truncated).toBe(true);
    expect(bytes).toBeGreaterThan(480);
    expect(bytes).toBeLessThanOrEqual(512);
  });

  test("M17: a UDP size of 65,535 is 1232", () => {
    const big = testbed([headless(pods(200))]);
    const { bytes, truncated } = big.ask(`db.shop.svc.${Z}`, "A", { edns: { size: 65_535 } });
    expect(truncated).toBe(true);
    expect(bytes).toBeGreaterThan(1200);
    expect(bytes).toBeLessThanOrEqual(1232);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 15])("M18, M19, M20: opcode %i is NOTIMP", (opcode) => {
    for (const tcp of [false, true]) {
      expect(bed.ask(Z, "SOA", { flags: opcode << 11, tcp })).toMatchObject({ rcode: "NOTIMP", opcode, bytes: 12 });
    }
  });

  test.each([3, 4, 254, 0, 65_280, 255])("M21, M22, M23: class %i is refused", (klass) => {
    const got = bed.ask(klass === 3 ? "version.bind" : WEB, "TXT", { class: klass, edns: {} });
    expect(got).toMatchObject({ rcode: "REFUSED", authoritative: false, authorities: [], extendedError: 20 });
  });

  test("M24: ANY is one small HINFO where there are records, NODATA and NXDOMAIN elsewhere", () => {
    for (const name of [WEB, Z, `db.shop.svc.${Z}`, `dns-version.${Z}`]) {
      const got = bed.ask(name, "ANY");
      expect(got.answers).toEqual([expect.stringContaining(`${name} 5 HINFO`)]);
      expect(Buffer.from(got.octets).includes("\x07RFC8482\x00")).toBe(true);
    }
    expect(bed.ask(`_tcp.${WEB}`, "ANY")).toMatchObject({ rcode: "NOERROR", answers: [] });
    expect(bed.ask(`gone.shop.svc.${Z}`, "ANY").rcode).toBe("NXDOMAIN");
  });

  test("M25: meta types are NODATA, transfers refused", () => {
    for (const type of [0, 10, 41, 128, 249, 250, 253, 254, 65_535]) {
      expect(bed.ask(WEB, type)).toMatchObject({ rcode: "NOERROR", answers: [] });
    }
    for (const type of ["AXFR", "IXFR"]) {
      for (const tcp of [false, true]) {
        expect(bed.ask(Z, type, { tcp, edns: {} })).toMatchObject({ rcode: "REFUSED", extendedError: 21, answers: [] });
      }
    }
  });

  test("M26: DNSSEC types of an unsigned zone are NODATA with SOA", () => {
    for (const type of [43, 46, 47, 48]) {
      expect(bed.ask(Z, type)).toMatchObject({ rcode: "NOERROR", answers: [], authorities: [expect.any(String)] });
    }
  });

  test.each([".", "local", "xclusterset.local", "clusterset.local.example", "cluster.local"])(
    "M27: %s is refused without SOA, EDE 20",
    (name) => {
      for (const type of ["A", "NS", "SOA", "ANY"]) {
        const got = bed.ask(name, type, { edns: {}, flags: FLAG.RD });
        expect(got).toMatchObject({ rcode: "REFUSED", authoritative: false, authorities: [], extendedError: 20 });
        expect(bed.ask(name, type)).toMatchObject({ rcode: "REFUSED", edns: false });
      }
    },
  );

  test("M28: the question comes back octet by octet, whatever its case", () => {
    const name = nameOf("WeB.sHoP.sVc.cLuStErSeT.lOcAl");
    const got = bed.send(message(name, "A"));
    expect(got.octets.slice(12, 12 + name.length)).toEqual(name);
    expect(got.answers).toEqual(["WeB.sHoP.sVc.cLuStErSeT.lOcAl 5 A 10.0.0.1"]);
  });

  test("M29: one record in Answer or Authority is ignored", () => {
    const record = concat(octets16(0xc00c, 1, 1, 0, 5, 4), Uint8Array.of(1, 2, 3, 4));
    expect(bed.send(message(WEB, "A", { tail: record, counts: [1, 1, 0, 0] })).answers).toHaveLength(1);
    expect(bed.send(message(WEB, "A", { tail: record, counts: [1, 0, 1, 0] })).answers).toHaveLength(1);
  });

  test("M30: recursion may be wanted, and is not available", () => {
    expect(bed.ask(WEB, "A", { flags: FLAG.RD }).flags).toBe(FLAG.QR | FLAG.AA | FLAG.RD);
  });

  test("M31: a query of 1400 octets is answered", () => {
    const options = concat(octets16(12, 1330), new Uint8Array(1330));
    expect(bed.send(message(WEB, "A", { edns: { options } })).answers).toHaveLength(1);
  });
});

describe("5.4 what does not fit", () => {
  test("M34: without EDNS at most 512 octets of whole records and TC; everything by TCP", () => {
    const cut = bed.ask(`db.shop.svc.${Z}`, "A");
    expect(cut).toMatchObject({ truncated: true, rcode: "NOERROR" });
    expect(cut.bytes).toBeLessThanOrEqual(512);
    expect(cut.bytes).toBe(12 + nameOf(`db.shop.svc.${Z}`).length + 4 + 16 * cut.answers.length);
    expect(bed.ask(`db.shop.svc.${Z}`, "A", { tcp: true })).toMatchObject({ truncated: false });
    expect(bed.ask(`db.shop.svc.${Z}`, "A", { tcp: true }).answers).toHaveLength(40);
  });

  test("M34: SRV is cut between records too", () => {
    const cut = bed.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV");
    expect(cut).toMatchObject({ truncated: true, additionals: [] });
    expect(cut.answers.length).toBeGreaterThan(3);
    expect(cut.bytes).toBeLessThanOrEqual(512);
  });

  test("M35: glue that does not fit is left out, and that is no truncation", () => {
    const seven = testbed([headless(pods(7))]);
    const got = seven.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV");
    expect(got).toMatchObject({ truncated: false, additionals: [] });
    expect(got.answers).toHaveLength(7);
    expect(seven.ask(`_http._tcp.db.shop.svc.${Z}`, "SRV", { edns: {} }).additionals).toHaveLength(7);
  });

  test("M36: 5,000 endpoints by TCP are a stable subset that fits, without TC", () => {
    const big = testbed([headless(pods(5000))]);
    for (const type of ["A", "SRV"]) {
      const got = big.ask(`db.shop.svc.${Z}`, type, { tcp: true, edns: {} });
      expect(got).toMatchObject({ truncated: false, rcode: "NOERROR" });
      expect(got.bytes).toBeGreaterThan(60_000);
      const again = big.ask(`db.shop.svc.${Z}`, type, { tcp: true, edns: {} });
      expect(again.answers.toSorted()).toEqual(got.answers.toSorted());
    }
  });

  test("A1: no UDP reply is large, and errors are no larger than the query and an OPT", () => {
    const queries = ["A", "AAAA", "SRV", "ANY", "SOA", "NS", "TXT", "AXFR"].flatMap((type) =>
      [Z, WEB, `db.shop.svc.${Z}`, "example.com"].map((name) => message(name, type, { edns: { size: 65_535 } })),
    );
    for (const query of queries) {
      const { bytes, rcode } = bed.send(query);
      expect(bytes).toBeLessThanOrEqual(1232);
      if (rcode === "REFUSED") expect(bytes).toBeLessThanOrEqual(query.length + 6);
    }
    expect(bed.ask(WEB, "ANY").bytes).toBeLessThanOrEqual(2 * message(WEB, "ANY").length);
  });

  test("names that only look like records of the zone do not take its table", () => {
    const ports = testbed([virtual({ ports: [HTTP, { name: "a.b", protocol: "TCP", port: 1 }] })]);
    expect(ports.ask(`_a.b._tcp.${WEB}`, "SRV").rcode).toBe("NXDOMAIN");
  });
});
