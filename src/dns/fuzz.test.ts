import { describe, expect, test } from "vitest";
import { headless, pods, virtual } from "./example-services.ts";
import { message, octets16, optRecord, testbed } from "./testbed.ts";
import { faultOf, secondFault } from "./testbed-fuzz.ts";
import { fuzzesFor } from "./testbed-fuzz-span.ts";
import { PacketSource, readCorpus } from "./testbed-packets.ts";
import { strictFault } from "./testbed-strict.ts";
import { MODES, wire } from "./testbed-wire.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
/** Three tests of so long. fuzz.long.ts has a minute of them, and `node bench/fuzz-dns.ts` goes on for longer. */
const SPAN_MS = 4000;

describe("packets that failed once, somewhere", () => {
  test.each(MODES)("get a sound reply or none, by %s", async (mode) => {
    await using bed = await wire(mode, [virtual(), headless(pods(5000), { name: "big" })]);
    for (const { what, octets } of readCorpus()) {
      for (const tcp of [false, true]) {
        const reply = await bed.raw(octets, tcp);
        expect([what, tcp, faultOf(octets, reply, tcp)]).toEqual([what, tcp, undefined]);
        if (reply.length > 0) expect([what, tcp, secondFault(reply)]).toEqual([what, tcp, undefined]);
      }
    }
  });
});

fuzzesFor(SPAN_MS);

describe("PacketSource", () => {
  test("the same seed makes the same packets, of every kind", () => {
    const made = [1, 2].map(() => {
      const source = new PacketSource(42);
      const packets: string[] = [];
      for (let i = 0; i < 500; i++) {
        source.next();
        packets.push(`${source.kind} ${source.octets.subarray(0, source.length).toHex()}`);
      }
      return packets;
    });
    expect(made[0]).toEqual(made[1]);
    expect(new Set(made[0]).size).toBeGreaterThan(450);
    expect(new Set(made[0]?.map((line) => line.split(" ")[0])).size).toBeGreaterThan(2);
  });
});

describe("F47: count bombs and pointer loops", () => {
  const bombs: readonly (readonly [what: string, octets: Uint8Array])[] = [
    ["65,535 of everything in twelve octets", octets16(1, 0, 0xffff, 0xffff, 0xffff, 0xffff)],
    ["65,535 answers behind a question", message(Z, 1, { counts: [1, 0xffff, 0xffff, 0xffff] })],
    ["records of zeros", message(Z, 1, { counts: [1, 1, 1, 2], tail: new Uint8Array(4000) })],
    ["a thousand options", message(Z, 1, { edns: { options: new Uint8Array(4000) } })],
    ["two thousand labels", message(new Uint8Array(4000).fill(1), 1)],
    ["two thousand pointers", message(new Uint8Array(4000).fill(0xc0), 1)],
    ["a pointer to itself", message(Uint8Array.of(0xc0, 12), 1)],
    ["a ring of two", message(Uint8Array.of(1, 97, 0xc0, 0x10, 0xc0, 0x0c), 1)],
    [
      "owners that point to owners",
      message(Z, 1, { counts: [1, 0, 0, 2], tail: concat(octets16(0xc022, 1, 1, 0, 0, 0), optRecord()) }),
    ],
  ];
  test.each(bombs)("%s: at most 20 µs each", (_, octets) => {
    const bed = testbed([virtual()]);
    const memory = new Uint8Array(8192);
    memory.set(octets, 100);
    const each = (count: number): number => {
      const before = process.threadCpuUsage();
      for (let i = 0; i < count; i++) bed.answerer.answer(memory, 100, octets.length, 6000, false);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / count;
    };
    each(5000);
    expect(each(20_000)).toBeLessThan(20);
  });
});

describe("strictFault()", () => {
  const bed = testbed([virtual(), headless(pods(3, true))]);
  const good = bed.raw(message(`_http._tcp.db.shop.svc.${Z}`, "SRV", { edns: {} }));

  test("finds nothing in good replies", () => {
    expect(strictFault(good)).toBeUndefined();
    for (const type of ["A", "AAAA", "SOA", "NS", "TXT", "ANY"]) {
      for (const name of [Z, `db.shop.svc.${Z}`, `dns-version.${Z}`, "example.com"]) {
        expect(strictFault(bed.raw(message(name, type, { edns: {} })))).toBeUndefined();
      }
    }
  });

  test("finds every cut, and an octet too many", () => {
    for (let length = 0; length < good.length; length++) expect(strictFault(good.slice(0, length))).toBeDefined();
    expect(strictFault(concat(good, Uint8Array.of(0)))).toBe("1 octets too many");
  });

  test.each([
    [2, 0x00, "not a response"],
    [3, 0x80, "RA, Z or AD is set"],
    [2, 0x80, "an answer without AA"],
    [3, 0x03, "answers with code 3"],
    [5, 2, "more than one question"],
    [11, 0, "octets too many"],
    [12, 0x40, "a label type that does not exist"],
    [12, 0xc0, "a pointer where there may be none"],
    [good.length - 5, 1, "an EDNS version but 0"],
    [good.length - 3, 1, "an EDNS flag but DO"],
  ])("finds octet %i being %i: %s", (at, octet, fault) => {
    const bad = good.slice();
    bad[at] = octet;
    expect(strictFault(bad)).toContain(fault);
  });
});
