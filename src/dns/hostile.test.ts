import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import { type Asked, FLAG, message, nameOf, octets16, optRecord } from "./testbed.ts";
import { MODES, type Wire, wire } from "./testbed-wire.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const QUESTION_END = 12 + nameOf(WEB).length + 4;
const OPT = optRecord();
const CLIENT_COOKIE = Uint8Array.from([0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);

/** A question whose name is these octets, in an otherwise good query. */
function named(...octets: readonly number[]): Uint8Array {
  return message(Uint8Array.from(octets), "A");
}

function labels(count: number): readonly number[] {
  return Array.from({ length: count }, () => [1, 97]).flat();
}

describe.each(MODES)("messages by %s", (mode) => {
  let bed: Wire;
  beforeAll(async () => {
    bed = await wire(mode, [virtual(), virtual({ name: "a`b" }), headless(pods(40))]);
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  /** both gives the replies by UDP and TCP. */
  async function both(query: Uint8Array): Promise<readonly Asked[]> {
    return [await bed.send(query), await bed.send(query, true)];
  }

  describe("silence", () => {
    test("[5.4-M1] 0 to 11 octets", async () => {
      expect(await bed.all(Array.from({ length: 12 }, (_, length) => new Uint8Array(length)))).toEqual([]);
    });

    test("[5.4-M2] a response, with any opcode and code", async () => {
      const responses: Uint8Array[] = [];
      for (let low = 0; low < 0x8000; low += 137) responses.push(message(WEB, "A", { flags: FLAG.QR | low }));
      expect(await bed.all(responses)).toEqual([]);
      expect(await bed.all(responses, true)).toEqual([]);
    });
  });

  describe("FORMERR", () => {
    const bare: readonly (readonly [row: string, query: Uint8Array])[] = [
      ["[5.4-M3] no question", octets16(1, 0, 0, 0, 0, 0)],
      ["[5.4-M3] no question, an OPT", concat(octets16(1, 0, 0, 0, 0, 1), OPT)],
      [
        "[5.4-M4] two questions",
        message(WEB, "A", { counts: [2, 0, 0, 0], tail: concat(nameOf(WEB), octets16(1, 1)) }),
      ],
      ["[5.4-M5] no octets of the question", octets16(1, 0, 1, 0, 0, 0)],
      ["[5.4-M6] 65,535 questions", octets16(1, 0, 0xffff, 0, 0, 0)],
      ["[5.4-M6] 65,535 of everything", octets16(1, 0, 0xffff, 0xffff, 0xffff, 0xffff)],
      ["[5.4-M6] 65,535 answers to no question", octets16(1, 0, 0, 0xffff, 0, 0)],
      ["[5.4-M7] a pointer to itself", named(0xc0, 0x0c)],
      ["[5.4-M7] a pointer forward", named(0xc0, 0x20)],
      ["[5.4-M7] a ring of two", named(1, 97, 0xc0, 0x10, 0xc0, 0x0c)],
      ["[5.4-M7] a pointer into the header", named(1, 97, 0xc0, 0x00)],
      ["[5.4-M7] a backward pointer in the question", named(1, 97, 0xc0, 0x0c)],
      ["[5.4-M7] 127 pointers", named(...Array.from({ length: 127 }, (_, i) => [0xc0, 12 + 2 * i]).flat(), 0)],
      ["[5.4-M8] label type 01", named(0x40, 97, 0)],
      ["[5.4-M8] label type 10", named(0x80, 97, 0)],
      ["[5.4-M8] an EDNS extended label", named(0x41, 97, 0)],
      ["[5.4-M9] a label of 64 octets", named(64, ...Array<number>(64).fill(97), 0)],
      ["[5.4-M9] a name of 257 octets", named(...labels(128), 0)],
      ["[5.4-M9] a name of 256 octets", named(...labels(126), 2, 97, 97, 0)],
    ];
    test.each(bare)("%s: the header alone, id kept", async (_, query) => {
      for (const got of await both(query)) {
        expect(got).toMatchObject({ rcode: "FORMERR", bytes: 12, id: (query[0] ?? 0) * 256 + (query[1] ?? 0) });
      }
    });

    test("[5.4-M5] cut anywhere, with the question once that is whole", async () => {
      const query = message(WEB, "A", { edns: { options: octets16(100, 4, 0, 0) } });
      for (let length = 12; length < query.length; length++) {
        const { rcode, bytes, id } = await bed.send(query.slice(0, length));
        expect([length, rcode, id]).toEqual([length, "FORMERR", 0x1234]);
        expect(bytes).toBeLessThanOrEqual(length < QUESTION_END ? 12 : QUESTION_END + 11);
      }
    });

    const named41 = concat(nameOf("x"), OPT.slice(1));
    const echoed: readonly (readonly [row: string, query: Uint8Array])[] = [
      [
        "[5.4-M5] RDLENGTH beyond the end",
        message(WEB, "A", { tail: concat(OPT.slice(0, 9), octets16(9)), counts: [1, 0, 0, 1] }),
      ],
      ["[5.4-M6] 65,535 answers", message(WEB, "A", { counts: [1, 0xffff, 0, 0] })],
      ["[5.4-M6] one answer and no octets of it", message(WEB, "A", { counts: [1, 1, 0, 0] })],
      ["[5.4-M12] two OPT", message(WEB, "A", { tail: concat(OPT, OPT), counts: [1, 0, 0, 2] })],
      ["[5.4-M12] OPT not at the root", message(WEB, "A", { tail: named41, counts: [1, 0, 0, 1] })],
      ["[5.4-M12] OPT in Answer", message(WEB, "A", { tail: OPT, counts: [1, 1, 0, 0] })],
      ["[5.4-M12] OPT in Authority", message(WEB, "A", { tail: OPT, counts: [1, 0, 1, 0] })],
      ["[5.4-M13] an option past the end", message(WEB, "A", { edns: { options: octets16(100, 9, 1) } })],
      ["[5.4-M13] half an option", message(WEB, "A", { edns: { options: Uint8Array.of(0, 100, 0) } })],
      ["[5.4-M29] three additional records", message(WEB, "A", { tail: concat(OPT), counts: [1, 0, 0, 3] })],
      [
        "[5.4-M7] an owner that points to itself",
        message(WEB, "A", { tail: concat(octets16(0xc000 | QUESTION_END), OPT.slice(1)), counts: [1, 0, 0, 1] }),
      ],
    ];
    test.each(echoed)("%s: the question comes back, nothing else", async (_, query) => {
      for (const got of await both(query)) {
        expect(got).toMatchObject({ rcode: "FORMERR", authoritative: false, answers: [], authorities: [] });
        expect(got.octets.slice(12, QUESTION_END)).toEqual(query.slice(12, QUESTION_END));
        expect(got.bytes).toBeLessThanOrEqual(QUESTION_END + 11);
      }
    });

    test("[5.4-M13] FORMERR for a bad option has an OPT", async () => {
      expect((await bed.send(message(WEB, "A", { edns: { options: octets16(100, 9, 1) } }))).edns).toBe(true);
    });

    test.each([0, 1, 7, 9, 15, 41, 100])("[5.4-M14] a cookie of %i octets", async (length) => {
      const options = concat(octets16(10, length), new Uint8Array(length));
      for (const got of await both(message(WEB, "A", { edns: { options } }))) {
        expect(got).toMatchObject({ rcode: "FORMERR", edns: true, answers: [], bytes: QUESTION_END + 11 });
      }
    });
  });

  test("[5.4-M3] a cookie alone is answered with a cookie (RFC 7873 section 5.4)", async () => {
    const ask = concat(octets16(1, 0, 0, 0, 0, 1), optRecord({ options: CLIENT_COOKIE }));
    for (const got of await both(ask)) {
      expect(got).toMatchObject({ rcode: "NOERROR", edns: true, bytes: 12 + 11 + 28, answers: [], authorities: [] });
      expect(got.octets.slice(4, 12)).toEqual(octets16(0, 0, 0, 1));
      const cookie = got.octets.slice(-28);
      expect(cookie.slice(4, 12)).toEqual(CLIENT_COOKIE.slice(4));
      const again = concat(octets16(2, 0, 0, 0, 0, 1), optRecord({ options: cookie }));
      expect((await bed.send(again)).rcode).toBe("NOERROR");
      cookie[27] = (cookie[27] ?? 0) ^ 1;
      const forged = concat(octets16(2, 0, 0, 0, 0, 1), optRecord({ options: cookie }));
      for (const bad of await both(forged)) expect(bad).toMatchObject({ rcode: "BADCOOKIE", bytes: 12 + 11 + 28 });
    }
  });

  describe("answered all the same", () => {
    test("[5.4-M9] a name of 255 octets", async () => {
      expect((await bed.send(named(...labels(127), 0))).rcode).toBe("REFUSED");
      const below = concat(Uint8Array.from(labels((255 - nameOf(Z).length) >> 1)), nameOf(Z));
      expect((await bed.send(message(below, "A"))).rcode).toBe("NXDOMAIN");
    });

    test("[5.4-M10] octets that are no letters are themselves", async () => {
      for (const octet of [0x00, 0x20, 0x2e, 0xff, 0x5c]) {
        const name = concat(Uint8Array.of(3, 119, octet, 98), nameOf(`shop.svc.${Z}`));
        const got = await bed.send(message(name, "A"));
        expect(got.rcode).toBe("NXDOMAIN");
        expect(got.octets.slice(12, 12 + name.length)).toEqual(name);
      }
      // One label `web.shop` is not two.
      const dotted = concat(Uint8Array.of(8), new TextEncoder().encode("web.shop"), nameOf(`svc.${Z}`));
      expect((await bed.send(message(dotted, "A"))).rcode).toBe("NXDOMAIN");
    });

    test("[5.4-M10] only ASCII letters have case", async () => {
      // @ and `, [ and { differ by the case bit alone.
      expect((await bed.send(message(`a\`b.shop.svc.${Z}`, "A"))).rcode).toBe("NOERROR");
      expect((await bed.send(message(`a@b.shop.svc.${Z}`, "A"))).rcode).toBe("NXDOMAIN");
    });

    test("[5.4-M11] garbage behind the last record is ignored", async () => {
      for (const got of await both(message(WEB, "A", { tail: new Uint8Array(100).fill(0xff) }))) {
        expect(got.answers).toHaveLength(1);
      }
    });

    test.each([
      ["no family", [0, 0, 0, 0]],
      ["a family that is none", [0, 9, 24, 0, 1, 2, 3]],
      ["a prefix of 255", [0, 1, 255, 0, 1, 2, 3, 4]],
      ["three octets", [0, 1, 24]],
    ])("[5.4-M15] a client subnet with %s", async (_, subnet) => {
      const options = concat(octets16(8, subnet.length), Uint8Array.from(subnet));
      const got = await bed.send(message(WEB, "A", { edns: { options } }));
      expect(got).toMatchObject({ rcode: "NOERROR", edns: true });
      expect(got.octets.toHex().slice(-4)).toBe("0000");
    });

    test("[5.4-M28] the question comes back octet by octet, whatever its case", async () => {
      const name = nameOf("WeB.sHoP.sVc.cLuStErSeT.lOcAl");
      const got = await bed.send(message(name, "A"));
      expect(got.octets.slice(12, 12 + name.length)).toEqual(name);
      expect(got.answers).toEqual(["WeB.sHoP.sVc.cLuStErSeT.lOcAl 5 A 10.0.0.1"]);
    });

    test("[5.4-M29] one record in Answer or Authority", async () => {
      const record = concat(octets16(0xc00c, 1, 1, 0, 5, 4), Uint8Array.of(1, 2, 3, 4));
      for (const counts of [[1, 1, 0, 0] as const, [1, 0, 1, 0] as const]) {
        expect((await bed.send(message(WEB, "A", { tail: record, counts }))).answers).toHaveLength(1);
      }
    });

    test("[5.4-M30] recursion may be wanted, and is not available", async () => {
      expect((await bed.ask(WEB, "A", { flags: FLAG.RD })).flags).toBe(FLAG.QR | FLAG.AA | FLAG.RD);
    });

    test("[5.4-M31] a query of 1400 octets", async () => {
      const options = concat(octets16(12, 1330), new Uint8Array(1330));
      expect((await bed.send(message(WEB, "A", { edns: { options } }))).answers).toHaveLength(1);
    });
  });

  describe("what is not for us", () => {
    const opcodes: readonly (readonly [row: string, opcode: number])[] = [
      ...[1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15].map((opcode) => ["M18", opcode] as const),
      ["M19", 4],
      ["M20", 5],
    ];
    test.each(opcodes)("[5.4-%s] opcode %i is NOTIMP", async (_, opcode) => {
      for (const got of await both(message(Z, "SOA", { flags: opcode << 11 }))) {
        expect(got).toMatchObject({ rcode: "NOTIMP", opcode, bytes: 12 });
      }
    });

    const classes: readonly (readonly [row: string, klass: number, name: string])[] = [
      ["M21", 3, "version.bind"],
      ["M21", 3, "hostname.bind"],
      ["M21", 3, Z],
      ["M22", 4, WEB],
      ["M22", 254, WEB],
      ["M22", 0, WEB],
      ["M22", 65_280, WEB],
      ["M23", 255, WEB],
    ];
    test.each(classes)("[5.4-%s] class %i is refused for %s", async (_, klass, name) => {
      for (const type of ["TXT", "A", "ANY"]) {
        const got = await bed.ask(name, type, { class: klass, edns: {} });
        expect(got).toMatchObject({ rcode: "REFUSED", authoritative: false, authorities: [], extendedError: 20 });
      }
    });

    test("[5.4-M24] ANY is one small HINFO where there are records, NODATA and NXDOMAIN elsewhere", async () => {
      for (const name of [WEB, Z, `db.shop.svc.${Z}`, `dns-version.${Z}`]) {
        const got = await bed.ask(name, "ANY");
        expect(got.answers).toEqual([expect.stringContaining(`${name} 5 HINFO`)]);
        expect(Buffer.from(got.octets).includes("\x07RFC8482\x00")).toBe(true);
      }
      expect(await bed.ask(`_tcp.${WEB}`, "ANY")).toMatchObject({ rcode: "NOERROR", answers: [] });
      expect((await bed.ask(`gone.shop.svc.${Z}`, "ANY")).rcode).toBe("NXDOMAIN");
    });

    test("[5.4-M25] meta types are NODATA, transfers refused", async () => {
      const meta = [0, 10, 41, ...Array.from({ length: 123 }, (_, i) => 128 + i), 253, 254, 65_535];
      for (const type of meta) {
        expect([type, await bed.ask(WEB, type)]).toMatchObject([type, { rcode: "NOERROR", answers: [] }]);
      }
      for (const type of ["AXFR", "IXFR"]) {
        for (const got of await both(message(Z, type, { edns: {} }))) {
          expect(got).toMatchObject({ rcode: "REFUSED", extendedError: 21, answers: [] });
        }
      }
    });

    test("[5.4-M26] DNSSEC types of an unsigned zone are NODATA with SOA", async () => {
      for (const type of [43, 46, 47, 48]) {
        for (const name of [Z, WEB]) {
          expect(await bed.ask(name, type)).toMatchObject({
            rcode: "NOERROR",
            answers: [],
            authorities: [expect.stringContaining(" SOA ")],
          });
        }
      }
    });

    test.each([".", "local", "xclusterset.local", "clusterset.local.example", "cluster.local"])(
      "[5.4-M27] %s is refused without SOA, EDE 20",
      async (name) => {
        for (const type of ["A", "NS", "SOA", "ANY"]) {
          const got = await bed.ask(name, type, { edns: {}, flags: FLAG.RD });
          expect(got).toMatchObject({ rcode: "REFUSED", authoritative: false, authorities: [], extendedError: 20 });
          expect(await bed.ask(name, type)).toMatchObject({ rcode: "REFUSED", edns: false });
        }
      },
    );
  });
});
