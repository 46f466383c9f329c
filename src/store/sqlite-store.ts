import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Allocation } from "#ipam";
import type { Clock, Log } from "#life";
import {
  type ClusterId,
  err,
  type IdentityKey,
  type Millis,
  type NodeName,
  ok,
  type Result,
  type Revision,
} from "#values";
import { ChangeLog, recordOf } from "./change-log.ts";
import type { DataLock } from "./data-lock.ts";
import type { Invite } from "./invite.ts";
import { type LogDisk, LogSync } from "./log-sync.ts";
import { writeBackup } from "./sqlite-backup.ts";
import { faultOf } from "./sqlite-fault.ts";
import type { Answer, AuditRow, Change, Changes, Speaker, Store, StoredRecord, StoreFault } from "./store.ts";
import type { StoreTables } from "./store-tables.ts";
import { expireAnswers, inviteOf, redeemFault, redemptionOf, writeChange } from "./write-change.ts";

/** Parts that openSqliteStore() has put together and checked. */
export interface SqliteParts {
  readonly dir: string;
  readonly path: string;
  readonly db: DatabaseSync;
  readonly tables: StoreTables;
  readonly disk: LogDisk;
  readonly tombstones: number;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  /** To be given back at close(); null where it is the caller's. */
  readonly lock: DataLock | null;
}

/** The log is copied into the database beyond this size. Seldom: the database's fsync is one that everything waits for.
 *  A log of this size is checked in a fraction of a second at the next start. */
export const WAL_BYTES = 16 << 20;
/** Records read at a time; no statement stays open in between, which would keep the log from being reused. */
const PAGE = 256;

/** SqliteStore is the store on one SQLite database that this process alone has open, in WAL mode (sqlite.org/wal.html).
 *  With PRAGMA synchronous=NORMAL a commit writes the log and does not sync it: LogSync does, off the main thread.
 *  SQLite itself syncs where order matters: the log before it is copied into the database, the database after that, and
 *  the header of a log that begins anew. */
export class SqliteStore implements Store {
  readonly #parts: SqliteParts;
  readonly #tables: StoreTables;
  readonly #changes: ChangeLog;
  readonly #begin: StatementSync;
  readonly #end: StatementSync;
  readonly #checkpoint: StatementSync;
  readonly #page: StatementSync;
  readonly #sync: LogSync;
  readonly failed: Promise<StoreFault>;
  readonly #fail: (fault: StoreFault) => void;
  #broken: StoreFault | undefined;

  constructor(parts: SqliteParts) {
    const { db, tables } = parts;
    this.#parts = parts;
    this.#tables = tables;
    this.#changes = new ChangeLog(db, tables, parts.tombstones);
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#end = db.prepare("COMMIT");
    this.#checkpoint = db.prepare("PRAGMA wal_checkpoint(PASSIVE)");
    this.#page = tables.records.query("WHERE key > ? ORDER BY key LIMIT ?");
    this.#sync = new LogSync({
      disk: parts.disk,
      failed: (error) => this.#break({ code: "io", message: `the store in ${parts.dir} failed: ${reasonOf(error)}` }),
      synced: () => this.#shortenLog(),
    });
    const { promise, resolve } = Promise.withResolvers<StoreFault>();
    this.failed = promise;
    this.#fail = resolve;
  }

  /** Both may change within a life: a restore gives a new id, members may raise the generation. */
  get id(): string {
    return this.#tables.state.id;
  }

  get generation(): number {
    return this.#tables.state.generation;
  }

  revision(): Revision {
    return this.#tables.state.revision as Revision;
  }

  whenDurable(done: () => void): void {
    this.#sync.whenDurable(done);
  }

  /** One transaction: redeem, write, save the sums, COMMIT. An error before the end leaves nothing, in the file or in
   *  memory. */
  commit(change: Change): Result<Revision, StoreFault> {
    if (this.#broken !== undefined) return err(this.#broken);
    let forget = (): void => {}; // until there is a saved state to forget
    try {
      this.#begin.run();
      if (change.idempotency !== undefined) expireAnswers(this.#tables, this.#parts.clock.now());
      const next = writeChange(this.#tables, this.#changes, change);
      if (typeof next === "string") {
        this.#rollback();
        return err(redeemFault(next));
      }
      forget = this.#tables.save(next);
      this.#end.run();
    } catch (error) {
      forget();
      return err(this.#failed(error));
    }
    this.#sync.wrote();
    return this.#broken === undefined ? ok(this.revision()) : err(this.#broken);
  }

  /** Page by page, by the last key seen: a key that goes or comes meanwhile shifts no other. */
  *records(): Iterable<StoredRecord> {
    for (let after = ""; ; ) {
      const rows = this.#tables.records.read(this.#page, after, PAGE);
      yield* rows.map(recordOf);
      if (rows.length < PAGE) return;
      after = String(rows.at(-1)?.[0]);
    }
  }

  record(key: string): StoredRecord | null {
    const row = this.#tables.records.get(key);
    return row === null ? null : recordOf(row);
  }

  allocations(): readonly Allocation[] {
    const { allocations } = this.#tables;
    return allocations
      .read(allocations.query("ORDER BY prefix"))
      .map(([, body]) => JSON.parse(String(body)) as Allocation);
  }

  speakers(): readonly Speaker[] {
    const { speakers } = this.#tables;
    return speakers.read(speakers.query("ORDER BY cluster")).map(([cluster, epoch, gateway]) => ({
      cluster: cluster as ClusterId,
      epoch: Number(epoch),
      gateway: gateway as NodeName | null,
    }));
  }

  invites(): readonly Invite[] {
    const { invites } = this.#tables;
    return invites.read(invites.query("ORDER BY id")).map(inviteOf);
  }

  findRedemption(inviteId: string, key: IdentityKey) {
    return redemptionOf(this.#tables, inviteId, key);
  }

  audit(since: number, limit: number): readonly AuditRow[] {
    return this.#tables.audit.after(since, limit);
  }

  auditRows(): number {
    return this.#tables.audit.ends.last.number;
  }

  verifyAudit(): Result<number> {
    return this.#tables.audit.verify();
  }

  /** An answer whose time is over is not given, though it may still be in the table. */
  idempotent(key: string, now: Millis): Answer | null {
    const row = this.#tables.answers.get(key);
    if (row === null || Number(row[4]) <= now) return null;
    const [, requestHash, status, body, expiresAt] = row;
    return {
      key,
      requestHash: String(requestHash),
      status: Number(status),
      body: String(body),
      expiresAt: Number(expiresAt) as Millis,
    };
  }

  meta(key: string): string | null {
    return (this.#tables.meta.get(key)?.[1] ?? null) as string | null;
  }

  changesSince(revision: Revision, limit?: number): Changes | "too-old" {
    return this.#changes.since(revision, limit);
  }

  backup(path: string, files: Readonly<Record<string, string>> = {}): Promise<Result<void>> {
    return writeBackup(this.#parts.db, path, files);
  }

  /** Moves the log into the database and gives the lock back; a second call does nothing. The log is synced first: where
   *  it cannot be moved, it stays. */
  close(): void {
    if (!this.#parts.db.isOpen) return;
    this.#sync.now();
    this.#parts.db.close();
    this.#parts.disk.close();
    this.#parts.lock?.[Symbol.dispose]();
  }

  /** Nothing of a failed change may be taken for done: neither on the disk nor in memory. */
  #failed(error: unknown): StoreFault {
    const fault = faultOf(error, this.#parts.dir);
    if (fault?.code === "io") this.#break(fault);
    try {
      this.#rollback();
    } catch (second) {
      this.#break({ code: "io", message: `the store in ${this.#parts.dir} cannot go back: ${String(second)}` });
    }
    if (fault === undefined) throw error;
    return this.#broken ?? fault;
  }

  /** Sums in memory first, so that they are right even where ROLLBACK itself fails. */
  #rollback(): void {
    this.#tables.reload();
    if (this.#parts.db.isTransaction) this.#parts.db.exec("ROLLBACK");
  }

  /** Checkpoints are ours and not SQLite's own, which ignore errors: after a failed fsync of the database the log
   *  must not be reused. They follow a sync, so that little of the log is left for SQLite to sync. A full disk only
   *  leaves the log long. */
  #shortenLog(): void {
    if (!this.#parts.db.isOpen || this.#broken !== undefined) return;
    try {
      const size = statSync(`${this.#parts.path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
      if (size > WAL_BYTES) this.#checkpoint.all();
    } catch (error) {
      const fault = faultOf(error, this.#parts.dir);
      if (fault?.code === "disk-full")
        this.#parts.log.warn("the store's log cannot be shortened", { reason: fault.message });
      else this.#break(fault ?? { code: "io", message: String(error) });
    }
  }

  /** There is no way back from here within this process: the next one reads what the disk really holds. */
  #break(fault: StoreFault): void {
    this.#broken = fault;
    this.#fail(fault);
    this.#parts.log.error("the store refuses all writes from now on", { reason: fault.message });
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
