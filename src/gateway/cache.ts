import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { slices } from "#life";
import { type ClusterId, err, ok, parseUid, type Result, type Revision, type Signature } from "#values";
import type { Cursor, Envelope } from "#wire";

const SCHEMA = 1;
/** Rows read at a time where others may write in between. */
const PAGE = 256;

/** Cache is everything a gateway has learned, on its disk: it serves from it when the broker is away and after a
 *  restart. Rows are checksummed when written; one that does not match is dropped and asked for again. */
export interface Cache {
  /** All records that were kept, one at a time; damaged ones are dropped on the way. */
  records(): Generator<Envelope>;
  /** Where in the broker's log the records end, once all were read. The cursor is null when a row was damaged. */
  loaded(): { readonly cursor: Cursor | null; readonly damaged: number };
  /** record is one of them, as it was written; undefined where it is not there, or damaged. */
  record(key: string): Envelope | undefined;
  /** under lists what stands under a member's head, a page at a time: others may write in between. */
  under(cluster: ClusterId): Generator<Envelope>;
  /** write is one transaction; it lets the event loop turn between rows. */
  write(change: CacheChange & { readonly cursor?: Cursor | null }): Promise<void>;
  /** Small values by name: the last incarnation, the address the broker saw. */
  value(name: string): string | null;
  setValue(name: string, value: string): void;
  close(): void;
}

/** CacheChange is what one transaction writes: removals first, so that a record which went and came again stays. */
export interface CacheChange {
  readonly put: readonly Envelope[];
  readonly removed: readonly string[];
}

/** openCache opens `DATA/cache.db`. A file that is damaged is put aside as `cache.db.damaged`, and an empty cache takes
 *  its place: what was in it comes again from the broker. One of a newer version is refused, since that version may
 *  want it back. */
export function openCache(dataDir: string): Result<Cache> {
  const path = join(dataDir, "cache.db");
  try {
    return openAt(path);
  } catch (error) {
    if (!isDamage(error)) return err(`${path}: ${(error as Error).message}`);
  }
  try {
    renameSync(path, `${path}.damaged`);
    for (const rest of ["-wal", "-shm"]) rmSync(`${path}${rest}`, { force: true });
    return openAt(path);
  } catch (error) {
    return err(`${path}: ${(error as Error).message}`);
  }
}

/** openAt throws what SQLite says. */
function openAt(path: string): Result<Cache> {
  const db = new DatabaseSync(path);
  try {
    // NORMAL: a crash of the host may lose the last moments, which the broker still has; it cannot tear the file.
    db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -1024;");
    const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
    if (version > SCHEMA) {
      db.close();
      return err(`${path} was written by a newer version: remove it to begin with an empty cache`);
    }
    const { quick_check: verdict } = db.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
    if (verdict !== "ok") throw Object.assign(new Error(verdict), { errcode: SQLITE_CORRUPT });
    db.exec(`
      CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, epoch INTEGER, seq INTEGER, body TEXT, signature TEXT, sum INTEGER) WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS named (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
      PRAGMA user_version = ${SCHEMA};`);
    return ok(new SqliteCache(db));
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Primary result codes of SQLite: the file is torn, or is no database at all. */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

function isDamage(error: unknown): boolean {
  const code = (error as { readonly errcode?: number }).errcode;
  return code !== undefined && [SQLITE_CORRUPT, SQLITE_NOTADB].includes(code & 0xff);
}

/** mergeChanges is one change that does what two after each other do. */
export function mergeChanges(first: CacheChange, then: CacheChange): CacheChange {
  const put = new Map(first.put.map((envelope) => [envelope.key, envelope]));
  for (const key of then.removed) put.delete(key);
  for (const envelope of then.put) put.set(envelope.key, envelope);
  return { put: [...put.values()], removed: [...new Set([...first.removed, ...then.removed])] };
}

interface Row {
  readonly key: string;
  readonly epoch: number;
  readonly seq: number;
  readonly body: string;
  readonly signature: string | null;
  readonly sum: number;
}

class SqliteCache implements Cache {
  readonly #db: DatabaseSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #name: StatementSync;
  #queue: Promise<void> = Promise.resolve();
  #damaged = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#put = db.prepare("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?, ?)");
    this.#remove = db.prepare("DELETE FROM records WHERE key = ?");
    this.#name = db.prepare("INSERT OR REPLACE INTO named VALUES (?, ?)");
  }

  *records(): Generator<Envelope> {
    const damaged: string[] = [];
    for (const row of this.#db.prepare("SELECT * FROM records").iterate() as unknown as Iterable<Row>) {
      const envelope = wholeOf(row);
      if (envelope !== undefined) yield envelope;
      else damaged.push(row.key);
    }
    for (const key of damaged) this.#remove.run(key);
    this.#damaged = damaged.length;
  }

  record(key: string): Envelope | undefined {
    const row = this.#db.prepare("SELECT * FROM records WHERE key = ?").get(key) as Row | undefined;
    return row === undefined ? undefined : wholeOf(row);
  }

  *under(cluster: ClusterId): Generator<Envelope> {
    const nodes = this.record(`nodes/${cluster}`);
    if (nodes !== undefined) yield nodes;
    const page = this.#db.prepare("SELECT * FROM records WHERE key > ? AND key < ? ORDER BY key LIMIT ?");
    const start = `export/${cluster}/`;
    for (let after: string | undefined = start; after !== undefined; ) {
      const rows = page.all(after, `${start}~`, PAGE) as unknown as Row[]; // no label holds a tilde, or anything above
      for (const row of rows) {
        const envelope = wholeOf(row);
        if (envelope !== undefined) yield envelope;
      }
      after = rows.length < PAGE ? undefined : rows.at(-1)?.key;
    }
  }

  loaded(): ReturnType<Cache["loaded"]> {
    return { damaged: this.#damaged, cursor: this.#damaged > 0 ? null : cursorFrom(this.value("cursor")) };
  }

  write(change: Parameters<Cache["write"]>[0]): Promise<void> {
    const written = this.#queue.then(() => this.#write(change));
    this.#queue = written.catch(() => {}); // one that failed holds up none after it
    return written;
  }

  value(name: string): string | null {
    const row = this.#db.prepare("SELECT value FROM named WHERE name = ?").get(name) as { value: string } | undefined;
    return row?.value ?? null;
  }

  setValue(name: string, value: string): void {
    this.#name.run(name, value);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  async #write({ put, removed, cursor }: Parameters<Cache["write"]>[0]): Promise<void> {
    if (!this.#db.isOpen) return;
    this.#db.exec("BEGIN");
    try {
      for (const key of removed) this.#remove.run(key);
      await slices(put, (envelope) => this.#putOne(envelope));
      if (cursor !== undefined) this.#name.run("cursor", cursor === null ? "" : `${cursor.store} ${cursor.revision}`);
      this.#db.exec("COMMIT");
    } catch (error) {
      if (this.#db.isOpen) this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  #putOne({ key, order: { epoch, seq }, body, signature }: Envelope): void {
    this.#put.run(key, epoch, seq, body, signature, sumOf({ key, epoch, seq, body, signature }));
  }
}

/** A row that does not match its checksum is no record. */
function wholeOf(row: Row): Envelope | undefined {
  const { key, epoch, seq, body, signature, sum } = row;
  if (sum !== sumOf(row)) return undefined;
  return { key, order: { epoch, seq }, body, signature: signature as Signature | null };
}

function sumOf({ key, epoch, seq, body, signature }: Omit<Row, "sum">): number {
  return crc32(`${key}\n${epoch}.${seq}\n${signature ?? ""}\n${body}`);
}

function cursorFrom(text: string | null): Cursor | null {
  const [store = "", revision = ""] = (text ?? "").split(" ");
  const uid = parseUid(store);
  return uid.ok && /^\d+$/.test(revision) ? { store: uid.value, revision: Number(revision) as Revision } : null;
}
