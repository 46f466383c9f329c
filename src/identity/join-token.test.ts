import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Secret } from "#life";
import { type Fingerprint, expect as must } from "#values";
import { isSecretOf, mintToken, parseToken, secretHash } from "./join-token.ts";

const fingerprint = `sha256:${"ab".repeat(32)}` as Fingerprint;
const url = "wss://broker.example.org:8443";

function errorOf(text: string): string {
  const result = parseToken(text);
  return result.ok ? "none" : result.error;
}

describe("mintToken()", () => {
  test("makes a token that carries URL, fingerprint, id and a secret of 160 bits", () => {
    const { token, id, hash } = mintToken({ url, fingerprint });
    const parsed = must(parseToken(token.reveal()));
    expect(token.reveal()).toMatch(/^mrd1\.[A-Za-z0-9_-]+$/);
    expect(parsed).toMatchObject({ url, fingerprint, id });
    expect(Buffer.from(parsed.secret.reveal(), "base64url")).toHaveLength(20);
    expect(secretHash(parsed.secret)).toBe(hash);
  });

  test("never makes the same id or secret twice, and the hash does not hold the secret", () => {
    const minted = Array.from({ length: 100 }, () => mintToken({ url, fingerprint }));
    expect(new Set(minted.map(({ id }) => id)).size).toBe(100);
    expect(new Set(minted.map(({ hash }) => hash)).size).toBe(100);
    for (const { token, hash } of minted) expect(token.reveal()).not.toContain(hash);
  });

  test("prints as (secret)", () => {
    const minted = mintToken({ url, fingerprint });
    const parsed = must(parseToken(minted.token.reveal()));
    const shown = inspect([minted, parsed], { depth: 9 }) + JSON.stringify([minted, parsed]) + String(minted.token);
    expect(shown).not.toContain(minted.token.reveal());
    expect(shown).not.toContain(parsed.secret.reveal());
  });

  test("carries any broker URL there and back", () => {
    fc.assert(
      fc.property(fc.webUrl({ validSchemes: ["wss"] }), (any) => {
        const wanted = new URL(any).href.replace(/\/$/, "");
        fc.pre(Buffer.byteLength(wanted) <= 512 && new URL(wanted).pathname !== "//");
        const parsed = parseToken(mintToken({ url: wanted, fingerprint }).token.reveal());
        expect(parsed.ok).toBe(true);
      }),
    );
  });
});

describe("parseToken()", () => {
  const text = mintToken({ url, fingerprint }).token.reveal();

  test("takes a token with white space around it, as it is pasted", () => {
    expect(parseToken(`  ${text}\n`).ok).toBe(true);
  });

  test("says that a token is cut off, wherever it was cut", () => {
    for (let end = "mrd1.".length; end < text.length; end += 1) {
      expect(errorOf(text.slice(0, end))).toContain("is cut off");
    }
    expect(errorOf(text.slice(0, -3))).toBe(
      `the join token is cut off, ${text.length - 3} of ${text.length} characters: copy it whole`,
    );
  });

  test("says how many characters are too many", () => {
    expect(errorOf(`${text}abc`)).toBe("the join token has 3 characters too many: copy it again");
  });

  test("finds any changed character", () => {
    fc.assert(
      fc.property(fc.integer({ min: 5, max: text.length - 2 }), fc.constantFrom(..."AZaz09-_"), (at, other) => {
        fc.pre(text[at] !== other);
        expect(parseToken(text.slice(0, at) + other + text.slice(at + 1)).ok).toBe(false);
      }),
    );
  });

  test("names the place of a character that no token has", () => {
    expect(errorOf(`${text.slice(0, 20)}*${text.slice(21)}`)).toBe(
      "the join token has a wrong character at place 21: copy it again",
    );
    expect(errorOf(`${text.slice(0, 20)}\n${text.slice(20)}`)).toContain("at place 21");
  });

  test("refuses another version by its number", () => {
    expect(errorOf(text.replace("mrd1", "mrd2"))).toBe("the join token has version 2, this program reads version 1");
  });

  test.each(["", "hello", "eyJhbGciOiJIUzI1NiJ9.e30.x", "mrd.", "MRD1.aaaa"])("refuses %j as no token", (other) => {
    expect(errorOf(other)).toBe("not a join token: one begins with mrd1.");
  });

  test("refuses a token whose URL is not one of a broker", () => {
    const bad = mintToken({ url: "http://broker", fingerprint }).token.reveal();
    expect(errorOf(bad)).toContain("wss://HOST:PORT");
  });

  test("is bounded, total on junk and never shows what was pasted", () => {
    expect(errorOf(`mrd1.${"A".repeat(1_000_000)}`)).toContain("longer than");
    fc.assert(
      fc.property(fc.base64String({ minLength: 20 }), (junk) => {
        const error = errorOf(`mrd1.${junk}`);
        expect(error).not.toBe("none");
        expect(error).not.toContain(junk);
      }),
    );
  });
});

describe("isSecretOf()", () => {
  test("reports whether a secret has this hash", () => {
    const secret = new Secret("word");
    expect(isSecretOf(secret, secretHash(secret))).toBe(true);
    expect(isSecretOf(new Secret("Word"), secretHash(secret))).toBe(false);
    expect(isSecretOf(secret, "")).toBe(false);
    expect(isSecretOf(secret, `${secretHash(secret)}x`)).toBe(false);
  });
});
