import { randomBytes, randomInt } from "node:crypto";
import type { Clock } from "#life";
import { CookieSecrets, cookieMemory, SECRET_BYTES } from "./cookie-secrets.ts";
import type { PacketPolicy } from "./packet-options.ts";
import type { PacketShare } from "./packet-path.ts";
import { rateMemory } from "./rate-limiter.ts";

/** How long a random secret makes cookies; for as long again it is believed. */
const ROTATE_MS = 24 * 3600 * 1000;

/** createPacketShare makes the memory that all threads share, with secrets in it. */
export function createPacketShare(policy: PacketPolicy): PacketShare {
  const secrets = cookieMemory();
  const [current = randomBytes(SECRET_BYTES), previous] = policy.secrets;
  new CookieSecrets(secrets).set(current, previous);
  const { rateLimit } = policy;
  const seeds = [randomInt(2 ** 32) | 0, randomInt(2 ** 32) | 0] as const;
  return { policy, secrets, rates: rateLimit === undefined ? undefined : rateMemory(rateLimit, seeds) };
}

/** rotateSecrets replaces a random secret every day until the signal aborts; configured ones stay. */
export async function rotateSecrets(share: PacketShare, clock: Clock, signal: AbortSignal): Promise<void> {
  if (share.policy.secrets.length > 0 || !share.policy.cookies) return;
  const secrets = new CookieSecrets(share.secrets);
  while (!signal.aborted) {
    await clock.sleep(ROTATE_MS, signal).catch(() => {}); // an abort ends the loop
    if (!signal.aborted) secrets.rotate(randomBytes(SECRET_BYTES));
  }
}
