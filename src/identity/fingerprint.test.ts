import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type IdentityKey, parseFingerprint } from "#values";
import { fingerprintOf, fingerprintOfBytes } from "./fingerprint.ts";

describe("fingerprintOf()", () => {
  test("is the SHA-256 of the key's 32 raw octets", () => {
    const raw = Buffer.alloc(32, 7);
    const expected = `sha256:${createHash("sha256").update(raw).digest("hex")}`;
    expect(fingerprintOf(raw.toString("base64url") as IdentityKey)).toBe(expected);
  });

  test("is always what parseFingerprint accepts, and differs where the bytes do", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(parseFingerprint(fingerprintOfBytes(a)).ok).toBe(true);
        expect(fingerprintOfBytes(a) === fingerprintOfBytes(b)).toBe(Buffer.compare(a, b) === 0);
      }),
    );
  });
});
