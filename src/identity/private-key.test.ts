import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { identityKeyOf } from "#wire";
import { createIdentityKey, privateKeyField, privateKeyText } from "./private-key.ts";

describe("createIdentityKey()", () => {
  test("makes another Ed25519 key each time", () => {
    expect(createIdentityKey().asymmetricKeyType).toBe("ed25519");
    expect(identityKeyOf(createIdentityKey())).not.toBe(identityKeyOf(createIdentityKey()));
  });

  test("shows nothing of itself when printed or put into JSON", () => {
    const key = createIdentityKey();
    const { d = "" } = key.export({ format: "jwk" });
    expect(d).toHaveLength(43);
    expect(inspect(key, { depth: 9, showHidden: true }) + JSON.stringify({ key })).not.toContain(d);
  });
});

describe("privateKeyField()", () => {
  test("reads what privateKeyText writes", () => {
    const key = createIdentityKey();
    const back = privateKeyField(privateKeyText(key));
    expect(back.ok && back.value.equals(key)).toBe(true);
  });

  test("refuses other kinds of keys, public keys and junk without showing them", () => {
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    expect(privateKeyField(privateKeyText(other))).toEqual({ ok: false, error: "not an Ed25519 private key" });
    const { publicKey } = generateKeyPairSync("ed25519");
    const pem = publicKey.export({ type: "spki", format: "pem" }).toString();
    expect(privateKeyField(pem)).toEqual({ ok: false, error: "not a private key in PKCS #8 PEM" });
    expect(privateKeyField("secret junk")).toEqual({ ok: false, error: "not a private key in PKCS #8 PEM" });
  });
});
