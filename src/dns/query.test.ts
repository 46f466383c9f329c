import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Query, VERDICT } from "./query.ts";
import { message, nameOf, octets16, optRecord } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const NAME = "web.shop.svc.clusterset.local";
const query = new Query();

/** read puts a message somewhere in a larger memory, as a listener does. */
function read(octets: Uint8Array, at = 32): number {
  const memory = new Uint8Array(at + octets.length + 64).fill(0xff);
  memory.set(octets, at);
  return query.read(memory, at, octets.length);
}

describe("read()", () => {
  test("finds the question: type, class, end, and where each label begins", () => {
    expect(read(message(NAME, 33, { class: 3 }))).toBe(VERDICT.answer);
    expect(query).toMatchObject({ type: 33, class: 3, labels: 5, edns: false, udpSize: 512, dnssecOk: false });
    expect(query.questionEnd).toBe(12 + nameOf(NAME).length + 4);
    expect([...query.labelAt.slice(0, 6)]).toEqual([12, 16, 21, 25, 36, 42]);
  });

  test("takes the root, and a name of 127 labels", () => {
    expect(read(message(".", 2))).toBe(VERDICT.answer);
    expect(query.labels).toBe(0);
    expect(read(message(Uint8Array.from([...Array(127).fill([1, 97]).flat(), 0]), 1))).toBe(VERDICT.answer);
    expect(query.labels).toBe(127);
  });

  test("reads OPT: size of at least 512, DO, whether there was one", () => {
    read(message(NAME, 1, { edns: { size: 4096, flags: 0x8000 } }));
    expect(query).toMatchObject({ edns: true, udpSize: 4096, dnssecOk: true });
    read(message(NAME, 1, { edns: { size: 12 } }));
    expect(query).toMatchObject({ edns: true, udpSize: 512, dnssecOk: false });
  });

  test("keeps nothing of the message before", () => {
    read(message(NAME, 1, { edns: { size: 4096, flags: 0x8000, version: 3 } }));
    expect(read(message(NAME, 1))).toBe(VERDICT.answer);
    expect(query).toMatchObject({ edns: false, udpSize: 512, dnssecOk: false });
  });

  test("reads an OPT behind another additional record", () => {
    const tsig = concat(nameOf("key"), octets16(250, 255, 0, 0, 2, 0));
    expect(read(message(NAME, 1, { tail: concat(tsig, optRecord()), counts: [1, 0, 0, 2] }))).toBe(VERDICT.answer);
    expect(query.edns).toBe(true);
  });

  test("a later version is told before anything else about its options", () => {
    const options = Uint8Array.of(0, 10, 0xff);
    expect(read(message(NAME, 1, { edns: { version: 1, options } }))).toBe(VERDICT.badVersion);
    expect(read(message(NAME, 1, { edns: { version: 0, options } }))).toBe(VERDICT.malformed);
  });

  test("a record's owner may point back to the question, and not elsewhere", () => {
    const record = (pointer: number): Uint8Array => concat(octets16(pointer, 250, 255, 0, 0, 0));
    const end = 12 + nameOf(NAME).length + 4;
    const verdict = (pointer: number): number =>
      read(message(NAME, 1, { tail: record(pointer), counts: [1, 0, 0, 1] }));
    expect(verdict(0xc00c)).toBe(VERDICT.answer);
    expect(verdict(0xc000 | end)).toBe(VERDICT.malformed);
    expect(verdict(0xc000 | (end + 4))).toBe(VERDICT.malformed);
    expect(verdict(0xc000 | 4)).toBe(VERDICT.malformed);
  });

  test("tells silence, NOTIMP and FORMERR apart in that order", () => {
    expect(read(octets16(1, 0x8000 | (15 << 11), 0, 0, 0, 0))).toBe(VERDICT.silence);
    expect(read(octets16(1, 5 << 11, 0, 0, 0, 0))).toBe(VERDICT.notImplemented);
    expect(read(octets16(1, 0, 0, 0, 0, 0))).toBe(VERDICT.noQuestion);
    expect(read(octets16(1, 0, 1, 0, 0, 0))).toBe(VERDICT.noQuestion);
  });

  test("depends on the message's octets alone, not on where it lies or what lies around", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 0, max: 5000 }), (octets, at) => {
        const state = (): unknown => ({ ...query, labelAt: [...query.labelAt.slice(0, query.labels + 1)] });
        const first = [read(octets, 0), state()];
        expect([read(octets, at), state()]).toEqual(first);
      }),
    );
  });
});
