import { randomUUID } from "node:crypto";
import type { IdentityKey, Revision } from "#values";
import type { ChangeLog } from "./change-log.ts";
import type { Invite } from "./invite.ts";
import { judgeRedemption, REDEEM_MESSAGE, type RedeemCode, type Redemption } from "./redeem.ts";
import type { Value } from "./sealed-table.ts";
import { type Answer, type Change, RECOVERING, RESTORED_FROM } from "./store.ts";
import type { State, StoreTables } from "./store-tables.ts";

/** Expired answers dropped by one commit, at most. */
const SWEEP = 100;

/** spendsRevision reports whether a change is one that members must hear of. */
export function spendsRevision({ put, remove, allocations }: Change): boolean {
  return [put, remove, allocations?.put, allocations?.forget].some((list) => (list?.length ?? 0) > 0);
}

/** writeChange writes a change into the tables, inside the caller's transaction, and gives the state to save; or the
 *  code of a redemption that does not hold, with nothing written. */
export function writeChange(tables: StoreTables, log: ChangeLog, change: Change): State | RedeemCode {
  const { state } = tables;
  const revision = (state.revision + (spendsRevision(change) ? 1 : 0)) as Revision;
  // first of all, since a token that does not hold must leave nothing behind
  const refusal = change.redeem === undefined ? undefined : redeem(tables, change.redeem);
  if (refusal !== undefined) return refusal;
  writeRecords(tables, change, revision);
  writeBooks(tables, change);
  for (const entry of change.audit ?? []) tables.audit.append(revision, entry);
  if (change.idempotency !== undefined) tables.answers.put(answerRow(change.idempotency));
  const floor = log.prune(state.floor);
  const id = change.newId ? randomUUID() : state.id;
  if (change.renew === undefined) return { ...state, id, revision, floor };
  for (const name of [RESTORED_FROM, RECOVERING]) tables.meta.put([name, state.id]);
  return {
    ...state,
    revision,
    floor,
    id: randomUUID(),
    generation: Math.max(state.generation, change.renew.above) + 1,
  };
}

/** expireAnswers drops answers whose time is over, the oldest first; a long rest is left to the next commits. */
export function expireAnswers({ answers }: StoreTables, now: number): void {
  const expired = answers.query("WHERE expires_at <= ? ORDER BY expires_at LIMIT ?");
  for (const [key = null] of answers.read(expired, now, SWEEP)) answers.delete(key);
}

/** inviteOf reads a row of the table of invites. */
export function inviteOf([, body]: readonly Value[]): Invite {
  return JSON.parse(String(body)) as Invite;
}

/** redemptionOf is what a key redeemed with an invite, or null. */
export function redemptionOf(tables: StoreTables, inviteId: string, key: IdentityKey) {
  const row = tables.redemptions.get(inviteId, key);
  return row === null ? null : { cluster: row[2] as Redemption["cluster"], uid: row[3] as Redemption["uid"] };
}

/** The judgement and its use are one transaction of the only connection: no second redemption comes in between. */
function redeem(tables: StoreTables, ask: Redemption): RedeemCode | undefined {
  const row = tables.invites.get(ask.inviteId);
  const invite = row === null ? null : inviteOf(row);
  const verdict = judgeRedemption(ask, invite, redemptionOf(tables, ask.inviteId, ask.key));
  if (verdict === "again") return undefined;
  if (verdict !== "count" || invite === null) return verdict === "count" ? "token-unknown" : verdict;
  putInvite(tables, { ...invite, used: invite.used + 1 });
  tables.redemptions.put([ask.inviteId, ask.key, ask.cluster, ask.uid, ask.now]);
  return undefined;
}

/** Removals come before puts: a key that is in both is there afterwards, and has no tombstone. */
function writeRecords({ records, tombstones, allocations }: StoreTables, change: Change, revision: Revision): void {
  for (const key of change.remove ?? []) {
    if (records.delete(key)) tombstones.put([key, revision]);
  }
  for (const { key, order, body, signature } of change.put ?? []) {
    tombstones.delete(key);
    records.put([key, revision, order.epoch, order.seq, body, signature]);
  }
  for (const prefix of change.allocations?.forget ?? []) allocations.delete(prefix);
  for (const allocation of change.allocations?.put ?? [])
    allocations.put([allocation.prefix, JSON.stringify(allocation)]);
}

/** What members never see: who speaks, who may join, settings. A second revocation does not move the first. */
function writeBooks(tables: StoreTables, change: Change): void {
  for (const { cluster, epoch, gateway } of change.speakers ?? []) tables.speakers.put([cluster, epoch, gateway]);
  for (const invite of change.invites?.put ?? []) putInvite(tables, invite);
  for (const { id, at } of change.invites?.revoke ?? []) {
    const row = tables.invites.get(id);
    const invite = row === null ? null : inviteOf(row);
    if (invite?.revokedAt === null) putInvite(tables, { ...invite, revokedAt: at });
  }
  for (const [key, value] of Object.entries(change.meta ?? {})) {
    if (value === null) tables.meta.delete(key);
    else tables.meta.put([key, value]);
  }
}

/** The fields are named, so that nothing else a caller has in its object reaches the disk: its secret for one. */
function putInvite({ invites }: StoreTables, invite: Invite): void {
  const { id, hash, cluster, createdAt, expiresAt, uses, used, revokedAt, by } = invite;
  invites.put([id, JSON.stringify({ id, hash, cluster, createdAt, expiresAt, uses, used, revokedAt, by })]);
}

function answerRow({ key, requestHash, status, body, expiresAt }: Answer): readonly Value[] {
  return [key, requestHash, status, body, expiresAt];
}

/** redeemFault is a refusal as commit() answers it. */
export function redeemFault(code: RedeemCode): { readonly code: RedeemCode; readonly message: string } {
  return { code, message: REDEEM_MESSAGE[code] };
}
