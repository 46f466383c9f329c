import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { FILE_PREFIX } from "./backup-files.ts";
import { StoreTables } from "./store-tables.ts";

/** Thread of writeBackup(): verifies the copy of a store, puts the files that go with it into its settings and marks it
 *  as a backup. It throws when the copy is damaged. It leaves one file without a log, to be fsynced by whoever started it. */
const { path, files } = workerData as { readonly path: string; readonly files: Readonly<Record<string, string>> };
const copy = new DatabaseSync(path);
try {
  copy.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE");
  const tables = new StoreTables(copy, 0);
  tables.verify();
  for (const [name, text] of Object.entries(files)) tables.meta.put([`${FILE_PREFIX}${name}`, text]);
  tables.save({ ...tables.state, backup: true });
  copy.exec("COMMIT");
} finally {
  copy.close();
}
