import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseFingerprint, parseIdentityKey, parseSignature, parseTunnelKey } from "./keys.ts";

const raw = (): string => (generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }).x ?? "") as string;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** Every text that differs in its last letter only. */
const lastLetters = (text: string): readonly string[] => [...LETTERS].map((letter) => text.slice(0, -1) + letter);

describe("a key has one text", () => {
  test.each([
    ["parseIdentityKey()", parseIdentityKey, 32],
    ["parseSignature()", parseSignature, 64],
  ] as const)("%s takes what base64url writes, and no other text of the same bytes", (_name, parse, size) => {
    for (let run = 0; run < 50; run += 1) {
      const text = randomBytes(size).toString("base64url");
      expect(parse(text)).toEqual({ ok: true, value: text });
      const same = lastLetters(text).filter((other) =>
        Buffer.from(other, "base64url").equals(Buffer.from(text, "base64url")),
      );
      expect(same.length).toBeGreaterThan(1);
      expect(same.filter((other) => parse(other).ok)).toEqual([text]);
    }
  });

  test("parseIdentityKey() takes what Node exports", () => {
    expect(parseIdentityKey(raw()).ok).toBe(true);
  });

  test("parseTunnelKey() takes what wg writes, and no other text of the same bytes", () => {
    for (let run = 0; run < 50; run += 1) {
      const text = randomBytes(32).toString("base64");
      expect(parseTunnelKey(text)).toEqual({ ok: true, value: text });
      const others = [...LETTERS]
        .map((letter) => `${text.slice(0, -2)}${letter}=`)
        .filter((other) => parseTunnelKey(other).ok);
      expect(new Set(others.map((other) => Buffer.from(other, "base64").toString("hex"))).size).toBe(others.length);
    }
  });
});

describe("refused with what it should have been", () => {
  const key = `-_${raw().slice(2)}`; // what base64url alone has, or padding would make it a tunnel key
  test.each([
    ["an empty text", ""],
    ["one letter less", key.slice(1)],
    ["one letter more", `${key}A`],
    ["padding", `${key}=`],
    ["base64", `+/${key.slice(2)}`],
    ["a line end", `${key}\n`],
  ])("%s", (_what, text) => {
    expect(parseIdentityKey(text)).toEqual({ ok: false, error: "not an Ed25519 public key in base64url" });
    expect(parseSignature(text)).toEqual({ ok: false, error: "not an Ed25519 signature in base64url" });
    expect(parseTunnelKey(text)).toEqual({ ok: false, error: "not a WireGuard public key in base64" });
  });

  test("a fingerprint is sha256: and lower-case hexadecimal", () => {
    const good = `sha256:${"0123456789abcdef".repeat(4)}`;
    expect(parseFingerprint(good)).toEqual({ ok: true, value: good });
    for (const text of [
      "",
      good.slice(7),
      good.toUpperCase(),
      `${good}0`,
      good.slice(0, -1),
      good.replace("sha256", "sha1"),
    ])
      expect(parseFingerprint(text)).toEqual({ ok: false, error: "not a SHA-256 fingerprint" });
  });
});
