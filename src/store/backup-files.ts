import type { StoreTables } from "./store-tables.ts";

/** Files that are kept in a backup beside the store are settings of it under this prefix: one file to keep, under one
 *  checksum. They are in no store that works. */
export const FILE_PREFIX = "file:";

/** takeFiles takes the files out of a backup; inside a transaction of the caller's. */
export function takeFiles({ meta }: StoreTables): Readonly<Record<string, string>> {
  const rows = meta.read(meta.query("WHERE key >= ? AND key < ? ORDER BY key"), FILE_PREFIX, `${FILE_PREFIX}~`);
  for (const [key = null] of rows) meta.delete(key);
  return Object.fromEntries(rows.map(([key, text]) => [String(key).slice(FILE_PREFIX.length), String(text)]));
}
