import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeAnswer } from "./answer-text.ts";
import { headless, pods, virtual } from "./example-services.ts";
import { message, octets16, optRecord, testbed } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const bed = testbed([virtual(), headless(pods(60))]);
const NAMES = [
  Z,
  `web.shop.svc.${Z}`,
  `_http._tcp.db.shop.svc.${Z}`,
  `p3.a.db.shop.svc.${Z}`,
  `no.${Z}`,
  "example.com",
];
const TYPES = [1, 2, 6, 16, 28, 33, 41, 252, 255, 666];

/** What holds for any octets: a reply or silence, soon; a reply decodes, is short, and answers this query. */
function checkReply(query: Uint8Array, tcp: boolean): void {
  const before = performance.now();
  const reply = bed.raw(query, tcp);
  expect(performance.now() - before).toBeLessThan(50); // a pause of the collector counts too; the median is microseconds
  if (reply.length === 0) {
    expect(query.length < 12 || ((query[2] ?? 0) & 0x80) !== 0).toBe(true);
    return;
  }
  expect(reply.length).toBeLessThanOrEqual(tcp ? 65_535 : 1232);
  expect(reply.subarray(0, 2)).toEqual(query.subarray(0, 2));
  expect((reply[2] ?? 0) & 0x80).toBe(0x80);
  const decoded = decodeAnswer(reply);
  expect(decoded.ok ? "" : `${decoded.error} ${reply.toHex()}`).toBe("");
}

const query = fc
  .record({
    name: fc.constantFrom(...NAMES),
    type: fc.constantFrom(...TYPES),
    flags: fc.integer({ min: 0, max: 0x7ff }),
    edns: fc.option(
      fc.record({
        size: fc.integer({ min: 0, max: 65_535 }),
        version: fc.constantFrom(0, 0, 0, 1, 255),
        flags: fc.integer({ min: 0, max: 65_535 }),
        options: fc.uint8Array({ maxLength: 20 }),
      }),
      { nil: undefined },
    ),
  })
  .map(({ name, type, flags, edns }) => message(name, type, { flags, ...(edns === undefined ? {} : { edns }) }));

describe("answer() on anything", () => {
  test("junk", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), checkReply), { numRuns: 5000 });
  });

  test("junk behind a header that looks like a query's", () => {
    const junk = fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.uint8Array({ maxLength: 300 }));
    fc.assert(
      fc.property(junk, fc.boolean(), ([counts, rest], tcp) =>
        checkReply(
          concat(
            octets16(7, 0),
            counts.map((octet, i) => (i === 1 ? 1 : octet & 3)),
            rest,
          ),
          tcp,
        ),
      ),
      { numRuns: 5000 },
    );
  });

  test("good queries", () => {
    fc.assert(fc.property(query, fc.boolean(), checkReply), { numRuns: 3000 });
  });

  test("good queries with octets changed, cut or put in", () => {
    const change = fc.record({ at: fc.nat(100), octet: fc.nat(255), kind: fc.constantFrom("set", "cut", "insert") });
    fc.assert(
      fc.property(query, fc.array(change, { maxLength: 4 }), fc.boolean(), (good, changes, tcp) => {
        let octets = [...good];
        for (const { at, octet, kind } of changes) {
          if (kind === "set" && at < octets.length) octets[at] = octet;
          else if (kind === "cut") octets = octets.slice(0, at);
          else octets.splice(at, 0, octet);
        }
        checkReply(Uint8Array.from(octets), tcp);
      }),
      { numRuns: 5000 },
    );
  });

  test("bombs: what headers and options can claim costs no time", () => {
    const bombs = [
      octets16(1, 0, 1, 0xffff, 0xffff, 0xffff),
      message(Z, 1, { counts: [1, 1, 1, 2], tail: new Uint8Array(4000) }),
      message(Z, 1, { tail: optRecord({ options: new Uint8Array(4000) }), counts: [1, 0, 0, 1] }),
      message(new Uint8Array(4000).fill(1), 1),
      message(new Uint8Array(4000).fill(0xc0), 1),
    ];
    const start = performance.now();
    for (let i = 0; i < 2000; i++) for (const bomb of bombs) bed.raw(bomb);
    // 10,000 of them: 50 µs each is a hundred times what they take.
    expect(performance.now() - start).toBeLessThan(10_000 * 0.05);
  });
});
