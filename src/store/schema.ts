import type { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "#values";

/** The schema of the SQLite store. STRICT: a value of another type is an error, not a conversion. Each row carries its
 *  checksum; `state` has one row, written by every commit, that sums up all tables. */

/** "mrds": says that a database is ours (sqlite.org/fileformat2.html, 1.3). */
export const APPLICATION_ID = 0x6d726473;
export const SCHEMA_VERSION = 1;

const STATEMENTS: readonly string[] = [
  "CREATE TABLE state (id INTEGER PRIMARY KEY, body TEXT NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE TABLE records (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, signature TEXT, sum BLOB NOT NULL) STRICT",
  "CREATE INDEX records_by_revision ON records (revision)",
  "CREATE TABLE tombstones (key TEXT PRIMARY KEY, revision INTEGER NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE INDEX tombstones_by_revision ON tombstones (revision)",
  "CREATE TABLE allocations (prefix TEXT PRIMARY KEY, body TEXT NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE TABLE speakers (cluster TEXT PRIMARY KEY, epoch INTEGER NOT NULL, gateway TEXT, sum BLOB NOT NULL) STRICT",
  "CREATE TABLE invites (id TEXT PRIMARY KEY, body TEXT NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE TABLE redemptions (invite TEXT NOT NULL, key TEXT NOT NULL, cluster TEXT NOT NULL, uid TEXT NOT NULL, at INTEGER NOT NULL, sum BLOB NOT NULL, PRIMARY KEY (invite, key)) STRICT",
  "CREATE TABLE answers (key TEXT PRIMARY KEY, request_hash TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL, expires_at INTEGER NOT NULL, sum BLOB NOT NULL) STRICT",
  "CREATE INDEX answers_by_expiry ON answers (expires_at)",
  "CREATE TABLE audit (number INTEGER PRIMARY KEY, revision INTEGER NOT NULL, time INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL, detail TEXT NOT NULL, hash TEXT NOT NULL) STRICT",
];

/** createSchema makes the tables; inside a transaction, so that a crash leaves all of them or none. */
export function createSchema(db: DatabaseSync): void {
  for (const statement of STATEMENTS) db.exec(statement);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** isBlank reports whether a database has no schema at all: one that was never begun. */
export function isBlank(db: DatabaseSync): boolean {
  return pragma(db, "application_id") === 0 && pragma(db, "user_version") === 0 && schemaOf(db).length === 0;
}

/** checkSchema refuses what this program cannot read; the error ends a sentence that begins with the file's path. */
export function checkSchema(db: DatabaseSync): Result<void> {
  if (pragma(db, "application_id") !== APPLICATION_ID) return err("is not a store of Meridian");
  const version = pragma(db, "user_version");
  if (version > SCHEMA_VERSION) {
    return err(
      `has schema ${version}, this program reads up to ${SCHEMA_VERSION}: use the newer program that wrote it, or restore a backup made before the upgrade`,
    );
  }
  if (version !== SCHEMA_VERSION) return err(`has schema ${version}, which no Meridian ever had`);
  const [found, expected] = [schemaOf(db), [...STATEMENTS].sort()];
  return found.join("\n") === expected.join("\n") ? ok(undefined) : err("has a damaged schema: restore a backup");
}

/** The text of every table and index, sorted; the indexes that SQLite makes by itself have none. */
function schemaOf(db: DatabaseSync): readonly string[] {
  const rows = db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").all();
  return rows.map((row) => String(row["sql"])).sort();
}

/** Both are numbers in the header of the file. */
function pragma(db: DatabaseSync, name: "application_id" | "user_version"): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}
