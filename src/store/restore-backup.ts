import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { err, ok, type Result } from "#values";
import { takeFiles } from "./backup-files.ts";
import { touchPrivate } from "./data-lock.ts";
import { checkSchema } from "./schema.ts";
import { StoreTables } from "./store-tables.ts";

/** Ends the name of the copy that is to become the store; while it stands, the store is not opened. */
export const RESTORING = ".restoring";
/** What was there before is kept under this name. */
const BEFORE = ".before-restore";

/** RestoredBackup is a backup that was read and found whole. */
export interface RestoredBackup {
  readonly files: Readonly<Record<string, string>>;
  /** Puts the copy in the place of the store, in one rename; a store that is there is kept as store.db.before-restore.
   *  A crash before it leaves a folder whose store is refused until the restore is done again. */
  install(): void;
  /** Takes the copy away again: the store that is there is what it was. */
  discard(): void;
}

/** copyBackup copies a backup beside the store of a folder that the caller has locked, and reads all of it. */
export function copyBackup(file: string, dir: string): Result<RestoredBackup> {
  const path = join(dir, "store.db");
  const copy = `${path}${RESTORING}`;
  try {
    if (!existsSync(file)) return err(`${file} is missing`);
    rmSync(copy, { force: true });
    touchPrivate(copy);
    copyFileSync(file, copy);
    chmodSync(copy, 0o600);
    const files = readCopy(copy);
    const discard = (): void => rmSync(copy, { force: true });
    if (files.ok) return ok({ files: files.value, install: () => install(path, copy), discard });
    discard();
    return err(`${file} ${files.error}`);
  } catch (error) {
    rmSync(copy, { force: true });
    return err(`${file} cannot be restored: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readCopy(copy: string): Result<Readonly<Record<string, string>>> {
  const db = new DatabaseSync(copy);
  try {
    const schema = checkSchema(db);
    if (!schema.ok) return schema;
    db.exec("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; BEGIN IMMEDIATE");
    const tables = new StoreTables(db, 0);
    tables.verify();
    if (!tables.state.backup) return err("is no backup but a store: make one with `meridian broker backup FILE`");
    const files = takeFiles(tables);
    tables.save(tables.state);
    db.exec("COMMIT");
    return ok(files);
  } finally {
    db.close();
  }
}

/** The log of the old store goes first, while the copy that stands beside it keeps everybody from opening the rest. */
function install(path: string, copy: string): void {
  for (const part of ["", "-wal"]) rmSync(`${path}${BEFORE}${part}`, { force: true });
  if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${path}${BEFORE}-wal`);
  rmSync(`${path}-shm`, { force: true });
  if (existsSync(path)) linkSync(path, `${path}${BEFORE}`);
  sync(copy);
  renameSync(copy, path);
  sync(join(path, ".."));
}

function sync(path: string): void {
  const handle = openSync(path, "r");
  fsyncSync(handle);
  closeSync(handle);
}
