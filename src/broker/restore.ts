import { join } from "node:path";
import { readPrivate, readPublic, writeDurably } from "#identity";
import type { Clock, Log } from "#life";
import { copyBackup, lockDataDir, openSqliteStore, RECOVERING } from "#store";
import { err, ok, type Result } from "#values";

/** What a backup holds beside the store: without these it would be another broker, which no member believes. The admin
 *  token and the server's certificate are made anew. */
const ROOTS = ["ca.key", "ca.crt", "allocation.key"] as const;

/** rootsIn reads the files of a data folder that go into its backup. */
export function rootsIn(dir: string): Result<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const name of ROOTS) {
    const text = (name.endsWith(".crt") ? readPublic : readPrivate)(join(dir, name));
    if (!text.ok) return err(text.error.message);
    files[name] = text.value;
  }
  return ok(files);
}

export interface RestoreAsk {
  readonly file: string;
  readonly dir: string;
  /** Nobody is waited for: what was granted after the backup may be granted again. */
  readonly acceptLoss: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Restored is the store that a folder holds now. */
export interface Restored {
  readonly id: string;
  readonly generation: number;
  readonly revision: number;
}

/** restore makes a broker's data folder from a backup: an empty folder, or one that holds the same authority. What is
 *  there of a store is kept beside the new one. */
export function restore({ file, dir, acceptLoss, clock, log }: RestoreAsk): Result<Restored> {
  const lock = lockDataDir(dir);
  if (!lock.ok) return lock;
  try {
    const backup = copyBackup(file, dir);
    if (!backup.ok) return backup;
    const placed = placeRoots(dir, backup.value.files, file);
    if (!placed.ok) {
      backup.value.discard();
      return placed;
    }
    backup.value.install();
    const store = openSqliteStore({ dir, clock, log, lock: lock.value });
    if (!store.ok) return store;
    if (acceptLoss) store.value.commit({ meta: { [RECOVERING]: null } });
    const { id, generation } = store.value;
    const revision = store.value.revision();
    store.value.close();
    return ok({ id, generation, revision });
  } finally {
    lock.value[Symbol.dispose]();
  }
}

function placeRoots(dir: string, files: Readonly<Record<string, string>>, file: string): Result<void> {
  for (const name of ROOTS) {
    const text = files[name];
    if (text === undefined) return err(`${file} holds no ${name}: it is not a backup of a broker`);
    const path = join(dir, name);
    const there = (name.endsWith(".crt") ? readPublic : readPrivate)(path);
    if (there.ok && there.value !== text)
      return err(`${path} is of another broker than ${file}: give an empty folder by --data`);
    if (!there.ok && there.error.code !== "missing") return err(there.error.message);
    const written = there.ok ? ok(undefined) : writeDurably(path, text);
    if (!written.ok) return written;
  }
  return ok(undefined);
}
