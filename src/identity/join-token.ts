import { hash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import { Secret } from "#life";
import { err, type Fingerprint, ok, type Result } from "#values";
import { MAX_URL_BYTES, parseBrokerUrl } from "./broker-url.ts";

/** JoinToken is what an operator carries from the broker to a cluster. */
export interface JoinToken {
  readonly url: string;
  /** SHA-256 of the DER of the broker's CA certificate: whom to believe before anything is known. */
  readonly fingerprint: Fingerprint;
  /** Names the invite; not secret. 20 hexadecimal digits. */
  readonly id: string;
  /** 160 random bits in base64url. */
  readonly secret: Secret;
}

/** MintedToken is a new token as text, and what the broker keeps of it. */
export interface MintedToken {
  readonly token: Secret;
  readonly id: string;
  readonly hash: string;
}

/** A token is `mrd1.` and the base64url of
 *    url length (2 octets) | CA fingerprint (32) | id (10) | secret (20) | url | CRC-32 of all before (4)
 *  The length tells a cut token from a mistyped one; the CRC is against slips of the hand, not against attackers. */
const PREFIX = "mrd1.";
/** Offsets of the parts, in octets. */
const AT = { fingerprint: 2, id: 34, secret: 44, url: 64 } as const;
const CRC_BYTES = 4;
const MAX_CHARACTERS = PREFIX.length + Math.ceil(((AT.url + MAX_URL_BYTES + CRC_BYTES) * 4) / 3);

/** mintToken makes a token with a fresh id and secret. The url must have passed parseBrokerUrl. */
export function mintToken({ url, fingerprint }: Pick<JoinToken, "url" | "fingerprint">): MintedToken {
  const place = Buffer.from(url);
  if (place.length > MAX_URL_BYTES) throw new RangeError(`url must have at most ${MAX_URL_BYTES} bytes: ${url}`);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(place.length);
  const id = randomBytes(10);
  const secret = randomBytes(20);
  const body = Buffer.concat([length, Buffer.from(fingerprint.slice("sha256:".length), "hex"), id, secret, place]);
  const check = Buffer.alloc(CRC_BYTES);
  check.writeUInt32BE(crc32(body));
  return {
    token: new Secret(PREFIX + Buffer.concat([body, check]).toString("base64url")),
    id: id.toString("hex"),
    hash: secretHash(new Secret(secret.toString("base64url"))),
  };
}

/** parseToken reads a token as it was pasted. The error says what happened to it and never shows any of it. */
export function parseToken(pasted: string): Result<JoinToken> {
  const text = pasted.trim();
  const version = /^mrd(\d+)\./.exec(text)?.[1];
  if (version === undefined) return err("not a join token: one begins with mrd1.");
  if (version !== "1") return err(`the join token has version ${version}, this program reads version 1`);
  if (text.length > MAX_CHARACTERS) return err(`the join token is longer than ${MAX_CHARACTERS} characters`);
  const wrong = text.slice(PREFIX.length).search(/[^A-Za-z0-9_-]/);
  if (wrong >= 0)
    return err(`the join token has a wrong character at place ${PREFIX.length + wrong + 1}: copy it again`);
  return decode(Buffer.from(text.slice(PREFIX.length), "base64url"), text.length);
}

/** The length first: it says what happened to a token that the CRC could only call wrong. */
function decode(bytes: Buffer, characters: number): Result<JoinToken> {
  if (bytes.length < AT.url + CRC_BYTES) return err("the join token is cut off: copy it whole");
  const end = AT.url + bytes.readUInt16BE(0);
  const whole = PREFIX.length + Math.ceil(((end + CRC_BYTES) * 4) / 3);
  if (characters < whole) return err(`the join token is cut off, ${characters} of ${whole} characters: copy it whole`);
  if (characters > whole) return err(`the join token has ${characters - whole} characters too many: copy it again`);
  if (bytes.readUInt32BE(end) !== crc32(bytes.subarray(0, end)))
    return err("the join token was altered: copy it again");
  const url = parseBrokerUrl(bytes.toString("utf8", AT.url, end));
  if (!url.ok) return err(`the join token's ${url.error}`);
  return ok({
    url: url.value,
    fingerprint: `sha256:${bytes.toString("hex", AT.fingerprint, AT.id)}` as Fingerprint,
    id: bytes.toString("hex", AT.id, AT.secret),
    secret: new Secret(bytes.toString("base64url", AT.secret, AT.url)),
  });
}

/** secretHash is all that may be stored of a secret: its SHA-256 in base64url. With 160 random bits there is nothing
 *  to guess, so no slow hash is needed. */
export function secretHash(secret: Secret): string {
  return hash("sha256", secret.reveal(), "base64url");
}

/** isSecretOf compares in constant time: how long it takes says nothing about where two secrets differ. */
export function isSecretOf(secret: Secret, expectedHash: string): boolean {
  const [given, expected] = [Buffer.from(secretHash(secret)), Buffer.from(expectedHash)];
  return given.length === expected.length && timingSafeEqual(given, expected);
}
