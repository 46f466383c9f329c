import { randomUUID } from "node:crypto";
import type { Allocation } from "#ipam";
import { type ClusterId, err, type IdentityKey, type Millis, ok, type Result, type Revision, type Uid } from "#values";
import type { Envelope } from "#wire";
import { CHAIN_START, follows, type Link, nextRow } from "./audit-chain.ts";
import type { Invite } from "./invite.ts";
import { judgeRedemption, REDEEM_MESSAGE, type RedeemCode, type Redemption } from "./redeem.ts";
import {
  type Answer,
  type AuditRow,
  type Change,
  type Changes,
  RECOVERING,
  RESTORED_FROM,
  type Speaker,
  type Store,
  type StoredRecord,
  type StoreFault,
} from "./store.ts";

/** Whom a redemption made a member. */
type Member = { readonly cluster: ClusterId; readonly uid: Uid };

/** MemoryStore is a store that forgets when its process ends: for tests and simulations of other rooms. It keeps the
 *  same contract as the one on disk, but for durability, and makes no backups. */
export class MemoryStore implements Store {
  id: string = randomUUID();
  generation = 1;
  #revision = 0;
  #broken: StoreFault | undefined;
  readonly #records = new Map<string, StoredRecord>();
  readonly #tombstones = new Map<string, number>();
  readonly #allocations = new Map<string, Allocation>();
  readonly #speakers = new Map<string, Speaker>();
  readonly #invites = new Map<string, Invite>();
  readonly #redemptions = new Map<string, Member>();
  readonly #answers = new Map<string, Answer>();
  readonly #meta = new Map<string, string>();
  readonly #audit: AuditRow[] = [];

  /** failWith makes every later commit fail, as a disk would; undefined heals it. */
  failWith(fault: StoreFault | undefined): void {
    this.#broken = fault;
  }

  /** There is no disk that could fail. */
  readonly failed: Promise<StoreFault> = new Promise(() => {});

  revision(): Revision {
    return this.#revision as Revision;
  }

  /** Nothing is ever on its way. */
  whenDurable(done: () => void): void {
    done();
  }

  /** Refuses before it writes: nothing after the redemption can fail, so nothing has to be undone. */
  commit(change: Change): Result<Revision, StoreFault> {
    if (this.#broken !== undefined) return err(this.#broken);
    const refusal = change.redeem === undefined ? undefined : this.#redeem(change.redeem);
    if (refusal !== undefined) return err({ code: refusal, message: REDEEM_MESSAGE[refusal] });
    const { put = [], remove = [], allocations = { put: [], forget: [] } } = change;
    if (put.length + remove.length + allocations.put.length + allocations.forget.length > 0) this.#revision += 1;
    this.#writeRecords(put, remove);
    for (const prefix of allocations.forget) this.#allocations.delete(prefix);
    for (const allocation of allocations.put) this.#allocations.set(allocation.prefix, { ...allocation });
    this.#writeBooks(change);
    for (const entry of change.audit ?? []) this.#audit.push(nextRow(this.#lastLink(), this.revision(), entry));
    if (change.newId) this.id = randomUUID();
    if (change.renew !== undefined) this.#renew(change.renew.above);
    return ok(this.revision());
  }

  #renew(above: number): void {
    for (const name of [RESTORED_FROM, RECOVERING]) this.#meta.set(name, this.id);
    this.id = randomUUID();
    this.generation = Math.max(this.generation, above) + 1;
  }

  records(): Iterable<StoredRecord> {
    return sortedValues(this.#records);
  }

  record(key: string): StoredRecord | null {
    return this.#records.get(key) ?? null;
  }

  allocations(): readonly Allocation[] {
    return sortedValues(this.#allocations);
  }

  speakers(): readonly Speaker[] {
    return sortedValues(this.#speakers);
  }

  invites(): readonly Invite[] {
    return sortedValues(this.#invites);
  }

  findRedemption(inviteId: string, key: IdentityKey): Member | null {
    return this.#redemptions.get(`${inviteId} ${key}`) ?? null;
  }

  audit(since: number, limit: number): readonly AuditRow[] {
    return this.#audit.filter(({ number }) => number > since).slice(0, limit);
  }

  auditRows(): number {
    return this.#audit.length;
  }

  verifyAudit(): Result<number> {
    let before = CHAIN_START;
    for (const row of this.#audit) {
      if (!follows(before, row)) return err(`audit row ${before.number + 1} is missing or was changed`);
      before = row;
    }
    return ok(before.number);
  }

  idempotent(key: string, now: Millis): Answer | null {
    const answer = this.#answers.get(key);
    return answer === undefined || answer.expiresAt <= now ? null : answer;
  }

  meta(key: string): string | null {
    return this.#meta.get(key) ?? null;
  }

  /** Every removal is remembered: a test is over before there are too many. */
  changesSince(revision: Revision, limit = Number.POSITIVE_INFINITY): Changes | "too-old" {
    if (revision < 0 || revision > this.#revision) return "too-old";
    const put = [...this.#records.values()].filter((record) => record.revision > revision);
    const removed = [...this.#tombstones].filter(([, at]) => at > revision);
    const revisions = [...put.map((record): number => record.revision), ...removed.map(([, at]) => at)];
    const [first, beyond] = [0, limit].map((n) => revisions.sort((a, b) => a - b)[n]);
    const through = beyond === undefined ? this.#revision : first === beyond ? beyond : beyond - 1;
    return {
      put: put.filter((record) => record.revision <= through).sort((a, b) => a.revision - b.revision),
      removed: removed
        .filter(([, at]) => at <= through)
        .sort((a, b) => a[1] - b[1])
        .map(([key]) => key),
      through: through as Revision,
    };
  }

  async backup(): Promise<Result<void>> {
    return err("a store in memory makes no backups");
  }

  /** There is nothing to give back. */
  close(): void {}

  /** JavaScript runs one commit at a time: judging and counting cannot be torn apart. */
  #redeem(ask: Redemption): RedeemCode | undefined {
    const invite = this.#invites.get(ask.inviteId) ?? null;
    const verdict = judgeRedemption(ask, invite, this.findRedemption(ask.inviteId, ask.key));
    if (verdict === "again") return undefined;
    if (verdict !== "count" || invite === null) return verdict === "count" ? "token-unknown" : verdict;
    this.#invites.set(invite.id, { ...invite, used: invite.used + 1 });
    this.#redemptions.set(`${ask.inviteId} ${ask.key}`, { cluster: ask.cluster, uid: ask.uid });
    return undefined;
  }

  /** Copies: what a caller changes later in its own object is not in the store. */
  #writeRecords(put: readonly Envelope[], remove: readonly string[]): void {
    for (const key of remove) if (this.#records.delete(key)) this.#tombstones.set(key, this.#revision);
    for (const envelope of put) {
      this.#tombstones.delete(envelope.key);
      this.#records.set(envelope.key, { envelope: { ...envelope }, revision: this.revision() });
    }
  }

  #writeBooks({ speakers = [], invites = {}, meta = {}, idempotency }: Change): void {
    for (const speaker of speakers) this.#speakers.set(speaker.cluster, { ...speaker });
    for (const invite of invites.put ?? []) this.#invites.set(invite.id, { ...invite });
    for (const { id, at } of invites.revoke ?? []) {
      const invite = this.#invites.get(id);
      if (invite?.revokedAt === null) this.#invites.set(id, { ...invite, revokedAt: at });
    }
    for (const [key, value] of Object.entries(meta)) {
      if (value === null) this.#meta.delete(key);
      else this.#meta.set(key, value);
    }
    if (idempotency !== undefined) this.#answers.set(idempotency.key, { ...idempotency });
  }

  /** Where the next audit row is chained to. */
  #lastLink(): Link {
    return this.#audit.at(-1) ?? CHAIN_START;
  }
}

/** In the order of keys, as SQLite gives them. */
function sortedValues<T>(map: ReadonlyMap<string, T>): readonly T[] {
  return [...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
