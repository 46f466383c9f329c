import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { readIfThere, writeDurably } from "#life";
import { err, ok, type Result, type TunnelKey } from "#values";

/** DER of an X25519 private key up to its 32 octets (RFC 8410 section 7). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");

/** keyPath is the one place of the private key, as `wg genkey` writes it; only `wg` reads it from there. */
export function keyPath(dataDir: string): string {
  return join(dataDir, "tunnel.key");
}

/** loadTunnelKey gives the public key to DATA/tunnel.key, which it makes (0600) where there is none. One key serves all interfaces and
 *  outlives restarts: peers need never learn another. A damaged file is an error, never replaced. */
export async function loadTunnelKey(dataDir: string): Promise<Result<TunnelKey>> {
  const path = keyPath(dataDir);
  const found = await readIfThere(path);
  if (!found.ok) return found;
  if (found.value !== null) return publicKeyOf(path, found.value.trim());
  const made = generate();
  const written = await writeDurably(path, `${made}\n`);
  return written.ok ? publicKeyOf(path, made) : written;
}

function generate(): string {
  const octets = generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "der" }).subarray(-32);
  // Clamped (RFC 7748 section 5), as `wg genkey` does, so that `wg show` prints what the file holds.
  octets[0] = (octets[0] ?? 0) & 248;
  octets[31] = ((octets[31] ?? 0) & 127) | 64;
  return octets.toString("base64");
}

function publicKeyOf(path: string, text: string): Result<TunnelKey> {
  const octets = Buffer.from(text, "base64");
  if (octets.length !== 32 || octets.toString("base64") !== text) {
    return err(`${path}: not a WireGuard private key; restore it, or delete it to get a new one`);
  }
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, octets]), format: "der", type: "pkcs8" });
  const publicOctets = createPublicKey(key).export({ type: "spki", format: "der" }).subarray(-32);
  return ok(publicOctets.toString("base64") as TunnelKey);
}
