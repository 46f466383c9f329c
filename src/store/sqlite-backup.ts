import { once } from "node:events";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { backup, type DatabaseSync } from "node:sqlite";
import { Worker } from "node:worker_threads";
import { err, ok, type Result } from "#values";
import { touchPrivate } from "./data-lock.ts";

/** Pages copied at a time; the store can commit in between. */
const PAGES_AT_A_TIME = 100;

/** writeBackup copies a store that is in use, with some files by name, into one file of mode 0600, verifies the copy and
 *  marks it as a backup: whoever opens it as a store gets a new one. The file stands under its name only when it is whole and on the disk.
 *  Two backups to one path must not run at once. */
export async function writeBackup(
  source: DatabaseSync,
  path: string,
  files: Readonly<Record<string, string>>,
): Promise<Result<void>> {
  const partial = `${path}.partial`;
  try {
    await removeWithLogs(partial);
    touchPrivate(partial);
    await backup(source, partial, { rate: PAGES_AT_A_TIME });
    await sealInWorker(partial, files);
    await syncPath(partial);
    await rename(partial, path);
    await syncPath(dirname(path));
    return ok(undefined);
  } catch (error) {
    await removeWithLogs(partial);
    return err(`cannot write the backup ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reading all of a large store takes longer than the event loop may wait. */
async function sealInWorker(path: string, files: Readonly<Record<string, string>>): Promise<void> {
  const worker = new Worker(new URL("./backup-worker.ts", import.meta.url), { workerData: { path, files } });
  const [code] = (await once(worker, "exit")) as [number]; // rejects with what the worker throws
  if (code !== 0) throw new Error(`the worker ended with ${code}`);
}

/** Also what an earlier attempt left: SQLite would take a journal beside the file for the file's own. */
async function removeWithLogs(path: string): Promise<void> {
  for (const file of [path, `${path}-journal`, `${path}-wal`, `${path}-shm`]) await rm(file, { force: true });
}

/** fsync of a file or a folder, off the main thread. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
