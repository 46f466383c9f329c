import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "#values";

/** DataLock says that this process alone works in a data folder, until it is disposed of or the process ends. */
export interface DataLock extends Disposable {
  readonly dir: string;
}

/** Time for the holder to write its number, in milliseconds. */
const PATIENCE = 500;
const SQLITE_BUSY = 5;

/** lockDataDir takes a data folder for this process, making it (0700) if need be; in another's hands it is refused as
 *  `another meridian (pid N) holds DIR`. The lock is one of the kernel's, through a small database DIR/lock: it ends
 *  with the process, also by kill -9, and is never left behind. Holding SQLite's RESERVED lock lets others read the
 *  number of the holder, which stands in the database's user_version. */
export function lockDataDir(dir: string): Result<DataLock> {
  const path = join(dir, "lock");
  let db: DatabaseSync | undefined;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    touchPrivate(path);
    db = new DatabaseSync(path, { timeout: PATIENCE });
    db.exec("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN IMMEDIATE");
    const held = db;
    sign(held);
    return ok({ dir, [Symbol.dispose]: () => held.close() });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const busy = (error as { errcode?: number }).errcode === SQLITE_BUSY;
    const message = busy && db !== undefined ? heldBy(dir, db) : `cannot lock ${dir}: ${path}: ${reason}`;
    db?.close();
    return err(message);
  }
}

/** touchPrivate makes a file of mode 0600 where there is none, without opening one that is: closing any handle of a
 *  file would end this process's locks on it (fcntl(2), "record locks"). */
export function touchPrivate(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

/** The number is advice, the lock is what counts: a full disk must not keep a daemon from starting. */
function sign(db: DatabaseSync): void {
  try {
    db.exec(`PRAGMA user_version = ${process.pid}; COMMIT`);
  } catch {
    if (db.isTransaction) db.exec("ROLLBACK");
  }
  db.exec("BEGIN IMMEDIATE"); // whoever came in between holds the lock, and this throws
}

function heldBy(dir: string, db: DatabaseSync): string {
  try {
    const pid = Number(db.prepare("PRAGMA user_version").get()?.["user_version"]);
    return `another meridian (pid ${pid}) holds ${dir}`;
  } catch {
    return `another meridian holds ${dir}`;
  }
}
