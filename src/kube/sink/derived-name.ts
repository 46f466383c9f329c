import { createHash } from "node:crypto";

const ALPHABET = "0123456789abcdefghijklmnopqrstuv";
const LENGTH = 10;

/** derivedName is the name of the Service derived from an import, as the reference controller makes it (mcs-api,
 *  controllers/common.go): `derived-` and the beginning of the lower-case base32hex of SHA-256 of NAMESPACE/NAME. */
export function derivedName(namespace: string, name: string): string {
  const digest = createHash("sha256").update(`${namespace}/${name}`).digest();
  let text = "";
  let bits = 0n;
  for (const byte of digest.subarray(0, 7)) bits = (bits << 8n) | BigInt(byte); // 56 bits hold ten letters of five
  for (let at = 0; at < LENGTH; at += 1) text += ALPHABET[Number((bits >> BigInt(51 - 5 * at)) & 31n)];
  return `derived-${text}`;
}

/** derivedKey is the derived Service of an import, both as `NAMESPACE/NAME`. */
export function derivedKey(key: string): string {
  const [namespace = "", name = ""] = key.split("/");
  return `${namespace}/${derivedName(namespace, name)}`;
}
