import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { StoreTables } from "./store-tables.ts";

/** Thread of writeBackup(): verifies the copy of a store at the path `workerData` and marks it as a backup. It throws
 *  when the copy is damaged. It leaves one file without a log, to be fsynced by whoever started it. */
const copy = new DatabaseSync(String(workerData));
try {
  copy.exec("PRAGMA journal_mode = DELETE; PRAGMA synchronous = OFF; BEGIN IMMEDIATE");
  const tables = new StoreTables(copy, 0);
  tables.verify();
  tables.save({ ...tables.state, backup: true });
  copy.exec("COMMIT");
} finally {
  copy.close();
}
