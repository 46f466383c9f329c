import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock, Log } from "#life";
import { err, ok, type Result } from "#values";
import { takeFiles } from "./backup-files.ts";
import { type DataLock, lockDataDir, touchPrivate } from "./data-lock.ts";
import { LogFile, markPath, resetMark } from "./log-file.ts";
import type { LogDisk } from "./log-sync.ts";
import { RESTORING } from "./restore-backup.ts";
import { checkSchema, createSchema, isBlank } from "./schema.ts";
import { faultOf, isBusy, isDamage } from "./sqlite-fault.ts";
import { SqliteStore, WAL_BYTES } from "./sqlite-store.ts";
import { RECOVERING, RESTORED_FROM, type Store } from "./store.ts";
import { BLANK_STATE, StoreTables } from "./store-tables.ts";
import { readMark } from "./synced-mark.ts";
import { walDamage } from "./wal-check.ts";

export interface SqliteStoreOptions {
  /** The data folder: the store is DIR/store.db. */
  readonly dir: string;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  /** The lock of `dir` where the caller holds it already; without one the store takes it and gives it back. */
  readonly lock?: DataLock;
  /** Removals that stay known to changesSince(). */
  readonly tombstones?: number;
  /** Rows of the audit log that are kept, at least. */
  readonly auditRows?: number;
  /** What stands between the store and its disk where that is not to be the disk itself: for tests. */
  readonly disk?: (real: LogDisk) => LogDisk;
}

const REMEDY = "restore a backup with `meridian broker restore FILE`";
/** Where a database says how it is written: a store in WAL mode, a backup with a rollback journal
 *  (sqlite.org/fileformat2.html, 1.3.3). */
const MODE = { at: 18, rollback: 0x0101, wal: 0x0202 } as const;

/** openSqliteStore opens the broker's store and makes it in an empty folder. It reads all of it first: a store that is
 *  damaged, in use, or of another version is refused in one line that names file, place and remedy. A backup that was
 *  put in its place becomes a new store: new id, next generation, and the old id under RESTORED_FROM. */
export function openSqliteStore(options: SqliteStoreOptions): Result<Store> {
  const lock = options.lock === undefined ? lockDataDir(options.dir) : ok(options.lock);
  if (!lock.ok) return lock;
  const store = openLocked(options, options.lock === undefined ? lock.value : null);
  if (!store.ok && options.lock === undefined) lock.value[Symbol.dispose]();
  return store;
}

/** Under the lock: looks at the files, opens them, and closes them again where anything is wrong. */
function openLocked(options: SqliteStoreOptions, lock: DataLock | null): Result<Store> {
  const { dir, clock, log, tombstones = 100_000, auditRows = 500_000, disk = (real: LogDisk) => real } = options;
  const path = join(dir, "store.db");
  let db: DatabaseSync | undefined;
  try {
    const wrong = wrongOnDisk(path);
    if (wrong !== undefined) return err(`${path} ${wrong}: ${REMEDY}`);
    resetMark(`${path}-wal`);
    touchPrivate(path);
    db = new DatabaseSync(path, { timeout: 0 });
    const tables = prepare(db, dir, auditRows);
    if (!tables.ok) {
      db.close();
      return err(`${path} ${tables.error}`);
    }
    const file = disk(openLog(path, db));
    return ok(new SqliteStore({ dir, path, db, tables: tables.value, disk: file, tombstones, clock, log, lock }));
  } catch (error) {
    db?.close();
    const reason = error instanceof Error ? error.message : String(error);
    if (isBusy(error)) return err(`another program holds ${path}`);
    if (isDamage(error)) return err(`${path} is damaged (${reason}): ${REMEDY}`);
    const fault = faultOf(error, dir);
    return err(`cannot open ${path}: ${fault?.code === "disk-full" ? fault.message : reason}`);
  }
}

/** openLog opens the log to be synced, and does it once: what an earlier life has left in it is read as committed. */
function openLog(path: string, db: DatabaseSync): LogDisk {
  const count = db.prepare("PRAGMA wal_checkpoint(NOOP)"); // counts the frames and does nothing else
  const log = new LogFile(`${path}-wal`, () => Number(count.get()?.["log"] ?? 0));
  log.syncNow();
  return log;
}

/** What only the files themselves show, before SQLite has opened them and forgiven it. */
function wrongOnDisk(path: string): string | undefined {
  const log = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
  if (existsSync(`${path}${RESTORING}`)) return "is being restored, and that was not finished";
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return log.length === 0 ? undefined : "is missing, but its log store.db-wal is there";
  const mode = headerOf(path).readUInt16BE(MODE.at);
  if (mode !== MODE.wal && mode !== MODE.rollback) return "has a damaged header";
  if (log.length === 0) return undefined;
  if (mode !== MODE.wal) return "does not belong to the log store.db-wal beside it, or its header is damaged";
  const damage = walDamage(log, markOf(`${path}-wal`));
  return damage === undefined ? undefined : `has a damaged log store.db-wal (${damage})`;
}

function markOf(log: string) {
  const path = markPath(log);
  return existsSync(path) ? readMark(readFileSync(path)) : undefined;
}

/** The first 100 bytes; a shorter file reads as zeros, which no header has. */
function headerOf(path: string): Buffer {
  const header = Buffer.alloc(100);
  const file = openSync(path, "r");
  readSync(file, header);
  closeSync(file);
  return header;
}

/** The log's copying is ours (wal_autocheckpoint = 0), and nobody else may open the file: SQLite then needs no shared
 *  memory file either. */
function prepare(db: DatabaseSync, dir: string, auditRows: number): Result<StoreTables> {
  db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0");
  db.exec(`PRAGMA journal_size_limit = ${2 * WAL_BYTES}; PRAGMA temp_store = MEMORY`);
  db.exec("BEGIN IMMEDIATE; COMMIT"); // takes the file for good, or finds it taken
  const blank = isBlank(db);
  if (blank) makeStore(db, dir, auditRows);
  const schema = checkSchema(db);
  if (!schema.ok) return schema;
  const [check] = db.prepare("PRAGMA integrity_check(1)").all();
  if (check?.["integrity_check"] !== "ok") return err(`is damaged (${check?.["integrity_check"]}): ${REMEDY}`);
  const tables = new StoreTables(db, auditRows);
  tables.verify();
  if (tables.state.backup) makeNewOf(db, tables);
  emptyLog(db, dir);
  return ok(tables);
}

/** What a crash left behind the end of the log must not be there at the next start: it would look like damage there.
 *  On a full disk it stays: reading goes on all the same. */
function emptyLog(db: DatabaseSync, dir: string): void {
  try {
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (error) {
    if (faultOf(error, dir)?.code !== "disk-full") throw error;
  }
}

/** A store counts as made once its first commit is in the database itself: an empty one that turns up later is then
 *  never taken for a new one because its log was lost. */
function makeStore(db: DatabaseSync, dir: string, auditRows: number): void {
  db.exec("BEGIN IMMEDIATE");
  createSchema(db);
  new StoreTables(db, auditRows).save({ ...BLANK_STATE, id: randomUUID(), generation: 1 });
  db.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  const folder = openSync(dir, "r");
  fsyncSync(folder);
  closeSync(folder);
}

/** In one transaction: a crash leaves a backup, which the next start makes a new store of, or the new store. */
function makeNewOf(db: DatabaseSync, tables: StoreTables): void {
  const { id, generation } = tables.state;
  db.exec("BEGIN IMMEDIATE");
  takeFiles(tables); // what only whoever restores it needs
  tables.meta.put([RESTORED_FROM, id]);
  tables.meta.put([RECOVERING, id]);
  tables.save({ ...tables.state, id: randomUUID(), generation: generation + 1, backup: false });
  db.exec("COMMIT");
}
