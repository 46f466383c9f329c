import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { err, ok, type Result } from "#values";

/** createIdentityKey makes an Ed25519 key pair (RFC 8032) and gives the private half; `identityKeyOf` of the wire
 *  gives the public one. A KeyObject shows nothing of itself in logs or JSON. */
export function createIdentityKey(): KeyObject {
  return generateKeyPairSync("ed25519").privateKey;
}

/** privateKeyText writes a private key as PKCS #8 PEM (RFC 5958): for a file of mode 0600, and nowhere else. */
export function privateKeyText(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** privateKeyField reads an Ed25519 private key from PKCS #8 PEM; the error never shows the text. */
export function privateKeyField(pem: string): Result<KeyObject> {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "ed25519" ? ok(key) : err("not an Ed25519 private key");
  } catch {
    return err("not a private key in PKCS #8 PEM");
  }
}
