import { closeSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DamagedStore } from "./sealed-table.ts";
import type { StoreFault } from "./store.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html); an extended code has them in its low octet. */
const CODE = { busy: 5, readonly: 8, ioerr: 10, corrupt: 11, full: 13, cantopen: 14, notadb: 26 } as const;
/** Failed fsync of a file and of a folder. */
const IOERR_FSYNC: readonly number[] = [CODE.ioerr | (4 << 8), CODE.ioerr | (5 << 8)];

/** resultCode is SQLite's primary result code of something thrown; undefined where SQLite did not throw it. */
export function resultCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  return error instanceof Error && typeof errcode === "number" ? errcode & 0xff : undefined;
}

/** isBusy reports whether another connection, of this process or another, holds the file. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === CODE.busy;
}

/** isDamage reports whether an error says that the file's content is wrong. */
export function isDamage(error: unknown): boolean {
  const code = resultCode(error);
  const range = error instanceof Error && (error as NodeJS.ErrnoException).code === "ERR_OUT_OF_RANGE";
  return error instanceof DamagedStore || code === CODE.corrupt || code === CODE.notadb || range;
}

/** faultOf says what a failed write means, or undefined where it is a bug of ours. A failed fsync is `io` whatever its
 *  reason: the kernel forgets which pages it could not write. */
export function faultOf(error: unknown, dir: string): StoreFault | undefined {
  const code = resultCode(error);
  const reason = error instanceof Error ? error.message : String(error);
  if (code === CODE.full) return { code: "disk-full", message: `no space left for the store in ${dir}` };
  const refused = code === CODE.ioerr || code === CODE.readonly || code === CODE.cantopen;
  if (refused && !IOERR_FSYNC.includes(extended(error)) && isReadOnly(dir)) {
    return { code: "disk-full", message: `the file system of ${dir} is read-only` };
  }
  const broken = refused || isDamage(error);
  return broken ? { code: "io", message: `the store in ${dir} failed: ${reason}` } : undefined;
}

/** With the extension: says which system call failed. */
function extended(error: unknown): number {
  return (error as { errcode?: number }).errcode ?? 0;
}

/** SQLite has one code for all failed writes: whether the file system refuses them is found by asking it. */
function isReadOnly(dir: string): boolean {
  const probe = join(dir, ".probe");
  try {
    closeSync(openSync(probe, "w", 0o600));
    rmSync(probe);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EROFS";
  }
}
