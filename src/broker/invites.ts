import type { Desk, InviteAsk } from "#admin";
import { mintToken } from "#identity";
import type { Invite } from "#store";
import { err, type Fingerprint, millis, ok } from "#values";
import { auditLine, unavailable } from "./audit-line.ts";
import type { Book } from "./book.ts";

/** Where members dial, and whom they are to believe there: every token carries both. */
export interface TokenPlace {
  readonly book: Book;
  readonly url: string;
  readonly fingerprint: Fingerprint;
}

/** invite makes a join token. It is shown once, here; the store keeps a hash of its secret. */
export function invite(
  { book, url, fingerprint }: TokenPlace,
  { cluster, ttlMs, uses }: InviteAsk,
  by: string,
): ReturnType<Desk["invite"]> {
  const { token, id, hash } = mintToken({ url, fingerprint });
  const createdAt = book.clock.now();
  const expiresAt = millis(createdAt + ttlMs);
  const made: Invite = { id, hash, cluster, createdAt, expiresAt, uses, used: 0, revokedAt: null, by };
  const detail = `uses ${uses}, cluster ${cluster ?? "any"}`;
  const committed = book.commit({
    invites: { put: [made] },
    audit: [auditLine(book, { action: "invite", subject: id, detail, by })],
  });
  return committed.ok ? ok({ invite: made, token: token.reveal() }) : unavailable(committed.error);
}

/** revokeInvite makes a token worthless; members that it made stay members. */
export function revokeInvite(book: Book, id: string, by: string): ReturnType<Desk["revokeInvite"]> {
  if (!book.store.invites().some((known) => known.id === id))
    return err({ code: "unknown", message: `there is no invite ${id}` });
  const committed = book.commit({
    invites: { revoke: [{ id, at: book.clock.now() }] },
    audit: [auditLine(book, { action: "revoke-invite", subject: id, detail: "", by })],
  });
  return committed.ok ? committed : unavailable(committed.error);
}
