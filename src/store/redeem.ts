import { timingSafeEqual } from "node:crypto";
import type { ClusterId, IdentityKey, Millis, Uid } from "#values";
import type { Invite } from "./invite.ts";

/** Redemption binds a join token to the key of a member. */
export interface Redemption {
  readonly inviteId: string;
  /** SHA-256 of the token's secret in base64url. */
  readonly hash: string;
  readonly key: IdentityKey;
  readonly cluster: ClusterId;
  readonly uid: Uid;
  readonly now: Millis;
}

/** RedeemCode is why a token does not count. */
export type RedeemCode = "token-unknown" | "token-used" | "token-expired" | "token-revoked" | "token-other-cluster";

/** What a person is told; none of it says more than the holder of the secret may know. */
export const REDEEM_MESSAGE: Readonly<Record<RedeemCode, string>> = {
  "token-unknown": "the broker knows no such join token",
  "token-used": "the join token was used already",
  "token-expired": "the join token has expired",
  "token-revoked": "the join token was revoked",
  "token-other-cluster": "the join token is for another cluster",
};

/** judgeRedemption decides about a token: `count` uses it up, `again` is the same key coming back after a crash, which
 *  costs nothing and is allowed after the expiry too. A wrong secret is answered as an unknown invite, in constant
 *  time. `before` is what this key redeemed with this invite earlier. */
export function judgeRedemption(
  ask: Redemption,
  invite: Invite | null,
  before: { readonly cluster: ClusterId; readonly uid: Uid } | null,
): RedeemCode | "count" | "again" {
  if (invite === null || !sameHash(ask.hash, invite.hash)) return "token-unknown";
  if (invite.revokedAt !== null) return "token-revoked";
  // bound to this key before: neither expiry nor use stops it, but it cannot become another member
  if (before !== null) {
    return before.cluster === ask.cluster && before.uid === ask.uid ? "again" : "token-other-cluster";
  }
  if (invite.cluster !== null && invite.cluster !== ask.cluster) return "token-other-cluster";
  if (ask.now >= invite.expiresAt) return "token-expired";
  return invite.used < invite.uses ? "count" : "token-used";
}

/** Constant time for hashes of one length; the length itself is no secret. */
function sameHash(given: string, kept: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(kept)];
  return a.length === b.length && timingSafeEqual(a, b);
}
