import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import type { IdentityKey, Signature } from "#values";
import type { Envelope, Order } from "./record.ts";

/** signedText is what a signature and a digest cover: the key and the order as well as the body, so that a record
 *  cannot be replayed under another name or as a newer one. The first line keeps signatures of other kinds apart. */
export function signedText(key: string, { epoch, seq }: Order, body: string): string {
  return `meridian record 1\n${key}\n${epoch}.${seq}\n${body}`;
}

/** seal signs a record with an Ed25519 private key (RFC 8032). */
export function seal(privateKey: KeyObject, key: string, order: Order, body: unknown): Envelope {
  const text = JSON.stringify(body);
  const signature = sign(null, Buffer.from(signedText(key, order, text)), privateKey).toString(
    "base64url",
  ) as Signature;
  return { key, order, body: text, signature };
}

/** unsealed makes a record that stands under a head. */
export function unsealed(key: string, order: Order, body: unknown): Envelope {
  return { key, order, body: JSON.stringify(body), signature: null };
}

/** isSealedBy reports whether a record was signed by the holder of a key. */
export function isSealedBy(publicKey: KeyObject, { key, order, body, signature }: Envelope): boolean {
  if (signature === null) return false;
  return verify(null, Buffer.from(signedText(key, order, body)), publicKey, Buffer.from(signature, "base64url"));
}

/** digestOf is the SHA-256 of what a signature would cover, in base64url: equal digests, equal records. */
export function digestOf({ key, order, body }: Envelope): string {
  return hash("sha256", signedText(key, order, body), "base64url");
}

/** identityKeyObject turns a raw Ed25519 public key into one that can verify (RFC 8410 names the encoding). */
export function identityKeyObject(key: IdentityKey): KeyObject {
  return createPublicKey({ format: "jwk", key: { kty: "OKP", crv: "Ed25519", x: key } });
}

/** identityKeyOf is the raw public half of an Ed25519 key pair's private key. */
export function identityKeyOf(privateKey: KeyObject): IdentityKey {
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  if (x === undefined) throw new Error("not an Ed25519 key");
  return x as IdentityKey;
}

/** privateKeyFrom reads a PKCS #8 PEM. Throws where it is none. */
export function privateKeyFrom(pem: string): KeyObject {
  return createPrivateKey(pem);
}
