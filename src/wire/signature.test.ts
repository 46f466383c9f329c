import { generateKeyPairSync, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Signature } from "#values";
import type { Envelope } from "./record.ts";
import { digestOf, identityKeyObject, identityKeyOf, isSealedBy, privateKeyFrom, seal, unsealed } from "./signature.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519");
const order = { epoch: 3, seq: 14 };
const sealed = seal(privateKey, "leave/amber", order, { leftAt: 5 });

describe("seal()", () => {
  test("signs key, order and body under a first line of their own (RFC 8032)", () => {
    const text = `meridian record 1\nleave/amber\n3.14\n{"leftAt":5}`;
    const signature = Buffer.from(sealed.signature ?? "", "base64url");
    expect(verify(null, Buffer.from(text), publicKey, signature)).toBe(true);
  });

  test("isSealedBy() knows the signer, and nobody else", () => {
    expect(isSealedBy(publicKey, sealed)).toBe(true);
    expect(isSealedBy(other.publicKey, sealed)).toBe(false);
  });

  test.each<[string, Partial<Envelope>]>([
    ["another key", { key: "leave/birch" }],
    ["a newer order", { order: { epoch: 3, seq: 15 } }],
    ["an order that only looks the same when joined", { order: { epoch: 31, seq: 4 } }],
    ["another body", { body: '{"leftAt":6}' }],
    ["the same body with a space", { body: '{"leftAt": 5}' }],
    ["no signature", { signature: null }],
    ["a signature of nothing", { signature: "A".repeat(86) as Signature }],
    ["a signature that was cut", { signature: (sealed.signature ?? "").slice(0, 40) as Signature }],
  ])("a record with %s is not signed", (_, change) => {
    expect(isSealedBy(publicKey, { ...sealed, ...change })).toBe(false);
  });

  test("one bit of the signature changed, and it is none", () => {
    fc.assert(
      fc.property(fc.nat({ max: 63 }), fc.nat({ max: 7 }), (octet, bit) => {
        const bytes = Buffer.from(sealed.signature ?? "", "base64url");
        bytes[octet] = (bytes[octet] ?? 0) ^ (1 << bit);
        const signature = bytes.toString("base64url") as Signature;
        expect(isSealedBy(publicKey, { ...sealed, signature })).toBe(false);
      }),
      { numRuns: 40 },
    );
  });
});

/** The order of the base point: S and S + L are one number to a careless verifier (RFC 8032, 5.1.7). */
const L = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

test("[CVE-2026-25793] a second signature, made of a good one without the key, is none", () => {
  const bytes = Buffer.from(sealed.signature ?? "", "base64url");
  let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString("hex")}`) + L;
  for (let at = 32; at < 64; at += 1, s >>= 8n) bytes[at] = Number(s & 0xffn);
  const signature = bytes.toString("base64url") as Signature;
  expect(signature).not.toBe(sealed.signature);
  expect(isSealedBy(publicKey, { ...sealed, signature })).toBe(false);
});

describe("digestOf()", () => {
  test("is the same for the same key, order and body, whoever signed", () => {
    expect(digestOf(unsealed("leave/amber", order, { leftAt: 5 }))).toBe(digestOf(sealed));
    expect(digestOf(seal(other.privateKey, "leave/amber", order, { leftAt: 5 }))).toBe(digestOf(sealed));
  });

  test("differs where anything signed differs", () => {
    const all = [
      sealed,
      { ...sealed, key: "leave/birch" },
      { ...sealed, body: "{}" },
      { ...sealed, order: { epoch: 3, seq: 15 } },
    ].map(digestOf);
    expect(new Set(all).size).toBe(4);
  });
});

describe("keys", () => {
  test("identityKeyObject() turns the raw key into one that verifies", () => {
    const raw = identityKeyOf(privateKey);
    expect(raw).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(isSealedBy(identityKeyObject(raw), sealed)).toBe(true);
  });

  test("privateKeyFrom() reads what was exported as PEM, and throws on anything else", () => {
    const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
    expect(identityKeyOf(privateKeyFrom(pem))).toBe(identityKeyOf(privateKey));
    expect(() => privateKeyFrom("no key")).toThrow(/./);
  });
});
