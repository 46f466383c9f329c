import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSoundMessage } from "./message-check.ts";
import { message, nameOf, octets16 } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
/** A reply to `Z A` with one record of this type and data. */
function reply(type: number, data: Uint8Array): Uint8Array {
  const record = concat(octets16(0xc00c, type, 1, 0, 5, data.length), data);
  return message(Z, 1, { flags: 0x8400, counts: [1, 1, 0, 0], tail: record });
}
/** Where that record's data begins. */
const DATA = 12 + nameOf(Z).length + 4 + 12;

describe("isSoundMessage()", () => {
  test("takes queries and replies, with and without compression", () => {
    expect(isSoundMessage(message(Z, 1, { edns: {} }))).toBe(true);
    expect(isSoundMessage(reply(1, Uint8Array.of(1, 2, 3, 4)))).toBe(true);
    expect(isSoundMessage(reply(2, concat(Uint8Array.of(1, 97), octets16(0xc00c))))).toBe(true);
    expect(isSoundMessage(reply(33, concat(octets16(0, 1, 80), nameOf(Z))))).toBe(true);
    expect(isSoundMessage(reply(6, concat(octets16(0xc00c, 0xc00c), new Uint8Array(20))))).toBe(true);
  });

  const rows: readonly (readonly [why: string, octets: Uint8Array])[] = [
    ["shorter than a header", new Uint8Array(11)],
    ["counts that no length allows", octets16(1, 0x8000, 0xffff, 0xffff, 0xffff, 0xffff)],
    ["a question that points to itself", message(Uint8Array.of(0xc0, 12), 1)],
    ["a question that points forward", message(Uint8Array.of(0xc0, 14, 0), 1)],
    ["a ring of two names", message(Uint8Array.of(1, 97, 0xc0, 12), 1)],
    ["a pointer into the header", message(Uint8Array.of(0xc0, 4), 1)],
    ["half a pointer", octets16(1, 0, 1, 0, 0, 0).slice(0, 12)],
    ["an unknown label type", message(Uint8Array.of(0x41, 97, 0), 1)],
    ["a name of 257 octets", message(Uint8Array.from([...Array(128).fill([1, 97]).flat(), 0]), 1)],
    ["record data behind the end", reply(1, new Uint8Array(4)).slice(0, -1)],
    ["a target that points to itself", reply(2, octets16(0xc000 | DATA))],
    ["a target that points forward", reply(33, concat(octets16(0, 1, 80, 0xc000 | (DATA + 8)), Uint8Array.of(0)))],
    ["a target longer than its data", reply(2, Uint8Array.of(3, 97))],
  ];
  test.each(rows)("refuses %s", (_, octets) => {
    expect(isSoundMessage(octets)).toBe(false);
  });

  test("never throws and is quick, on anything", () => {
    const start = performance.now();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (octets) => {
        isSoundMessage(octets);
      }),
      { numRuns: 2000 },
    );
    // A chain of pointers as long as a message can hold, in each of its records.
    const chain = concat(...Array.from({ length: 8000 }, (_, i) => octets16(0xc000 | (12 + 2 * i))));
    isSoundMessage(message(chain, 1));
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
