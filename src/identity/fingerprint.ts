import { hash } from "node:crypto";
import type { Fingerprint, IdentityKey } from "#values";

/** fingerprintOf is the SHA-256 of a member's raw public key: what people compare, and what refusals name. */
export function fingerprintOf(key: IdentityKey): Fingerprint {
  return fingerprintOfBytes(Buffer.from(key, "base64url"));
}

/** fingerprintOfBytes is the SHA-256 of bytes; of a certificate's DER it is what `openssl x509 -fingerprint` shows. */
export function fingerprintOfBytes(bytes: Uint8Array): Fingerprint {
  return `sha256:${hash("sha256", bytes, "hex")}` as Fingerprint;
}
