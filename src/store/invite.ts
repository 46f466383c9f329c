import type { ClusterId, Millis } from "#values";

/** Invite is what the broker keeps of a join token: never its secret. */
export interface Invite {
  readonly id: string;
  /** SHA-256 of the secret in base64url. */
  readonly hash: string;
  /** The only cluster that may use it; null for any. */
  readonly cluster: ClusterId | null;
  readonly createdAt: Millis;
  readonly expiresAt: Millis;
  readonly uses: number;
  readonly used: number;
  readonly revokedAt: Millis | null;
  /** Who made it. */
  readonly by: string;
}
