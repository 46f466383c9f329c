import type { Brand } from "./brand.ts";
import { err, ok, type Result } from "./result.ts";

/** IdentityKey is a raw Ed25519 public key in base64url without padding (43 characters). */
export type IdentityKey = Brand<string, "IdentityKey">;
/** TunnelKey is a Curve25519 public key as `wg` writes it: base64, 44 characters. */
export type TunnelKey = Brand<string, "TunnelKey">;
/** Fingerprint is `sha256:` and 64 lower-case hexadecimal digits. */
export type Fingerprint = Brand<string, "Fingerprint">;
/** Signature is an Ed25519 signature in base64url without padding (86 characters). */
export type Signature = Brand<string, "Signature">;

/** Each has one text only: the bits that base64 leaves over at the end are zero, so equal keys are equal strings. */

export function parseIdentityKey(text: string): Result<IdentityKey> {
  return /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/.test(text)
    ? ok(text as IdentityKey)
    : err("not an Ed25519 public key in base64url");
}

export function parseTunnelKey(text: string): Result<TunnelKey> {
  return /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text)
    ? ok(text as TunnelKey)
    : err("not a WireGuard public key in base64");
}

export function parseFingerprint(text: string): Result<Fingerprint> {
  return /^sha256:[0-9a-f]{64}$/.test(text) ? ok(text as Fingerprint) : err("not a SHA-256 fingerprint");
}

export function parseSignature(text: string): Result<Signature> {
  return /^[A-Za-z0-9_-]{85}[AQgw]$/.test(text) ? ok(text as Signature) : err("not an Ed25519 signature in base64url");
}
