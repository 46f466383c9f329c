import { describe, expect, test } from "vitest";
import { decodeAnswer } from "./answer-text.ts";
import { message, nameOf, octets16 } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";

/** text decodes one record of a type and gives its data as people read it. */
function text(type: number, data: Uint8Array): string | undefined {
  const record = concat(octets16(0xc00c, type, 1, 0, 60, data.length), data);
  const answer = decodeAnswer(message(Z, 1, { flags: 0x8400, counts: [1, 1, 0, 0], tail: record }));
  return answer.ok ? answer.value.answers[0]?.data : answer.error;
}

describe("decodeAnswer()", () => {
  const rows: readonly (readonly [type: string, number: number, data: Uint8Array, shown: string])[] = [
    ["A", 1, Uint8Array.of(10, 0, 0, 1), "10.0.0.1"],
    ["AAAA", 28, Uint8Array.from([0xfd, ...Array(14).fill(0), 1]), "fd00::1"],
    ["NS", 2, nameOf("ns.example"), "ns.example"],
    ["CNAME", 5, nameOf("other.example"), "other.example"],
    ["PTR", 12, nameOf("host.example"), "host.example"],
    ["MX", 15, concat(octets16(10), nameOf("mail.example")), "10 mail.example"],
    ["TXT", 16, concat(Uint8Array.of(3), new TextEncoder().encode('a"b')), '"a\\"b"'],
    ["SRV", 33, concat(octets16(0, 50, 80), nameOf("web.example")), "0 50 80 web.example"],
    ["TYPE666", 666, Uint8Array.of(1, 2), "\\# 2 0102"],
  ];
  test.each(rows)("shows %s", (_, type, data, shown) => {
    expect(text(type, data)).toBe(shown);
  });

  test("keeps the OPT record apart, and reads the extended error in it", () => {
    const options = octets16(15, 2, 20);
    const refused = decodeAnswer(message(Z, 1, { flags: 0x8005, edns: { options } }));
    expect(refused).toMatchObject({
      ok: true,
      value: { rcode: "REFUSED", edns: true, extendedError: 20, additionals: [] },
    });
    const plain = decodeAnswer(message(Z, 1, { flags: 0x8600 }));
    expect(plain).toMatchObject({ ok: true, value: { edns: false, truncated: true, authoritative: true, id: 0x1234 } });
  });

  test("a code above 15 is read from header and OPT together", () => {
    const badVersion = message(Z, 1, { flags: 0x8000, edns: {} });
    badVersion[badVersion.length - 6] = 1;
    expect(decodeAnswer(badVersion)).toMatchObject({ ok: true, value: { rcode: "BADVERS" } });
  });

  test("is an error for what is no message, and for records that are none", () => {
    expect(decodeAnswer(new Uint8Array(5)).ok).toBe(false);
    expect(text(1, Uint8Array.of(1, 2, 3))).toMatch(/A/);
    expect(text(16, Uint8Array.of(9, 1))).toMatch(/TXT/);
  });
});
