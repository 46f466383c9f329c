import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bitsPerSecond, decodeAsk, decodeTally, encodeAsk, encodeTally, MAX_TEST_MS } from "./throughput.ts";

describe("the ask", () => {
  test("decodeAsk() gives back what encodeAsk() wrote", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_TEST_MS }), (ms) => {
        expect(decodeAsk(encodeAsk(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });

  test("decodeAsk() refuses a test of no time and one of more than 30 s", () => {
    expect(decodeAsk(encodeAsk(0)).ok).toBe(false);
    expect(decodeAsk(encodeAsk(MAX_TEST_MS + 1))).toEqual({ ok: false, error: "a test lasts 1 to 30000 ms: 30001" });
  });

  test("decodeAsk() and decodeTally() are total over any octets", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(decodeAsk(bytes).ok).toBe(false);
        expect(decodeTally(bytes).ok).toBe(false);
      }),
    );
  });

  test("decodeAsk() refuses another version", () => {
    const ask = encodeAsk(1000);
    ask[4] = 2;
    expect(decodeAsk(ask)).toEqual({ ok: false, error: "a throughput test of another version" });
  });
});

describe("the tally", () => {
  test("decodeTally() gives back what encodeTally() wrote", () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 40 }), (bytes, micros) => {
        expect(decodeTally(encodeTally({ bytes, micros }))).toEqual({ ok: true, value: { bytes, micros } });
      }),
    );
  });

  test("bitsPerSecond() is octets times eight by time", () => {
    expect(bitsPerSecond({ bytes: 1_000_000, micros: 2_000_000 })).toBe(4_000_000);
  });
});
