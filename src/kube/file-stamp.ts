import { stat } from "node:fs/promises";
import type { Clock } from "#life";
import { err, ok, type Result } from "#values";

/** FileStamp tells whether a file is still the same without reading it. */
export interface FileStamp {
  /** Device, inode, size and both times in nanoseconds: whatever replaces or writes a file changes one of them. */
  readonly text: string;
  readonly bytes: number;
  /** Written at this time, in milliseconds since 1970. */
  readonly modifiedAt: number;
  /** Something happened to it after the last write: a rename, most likely. Then no writer is at it any more. */
  readonly movedSince: boolean;
}

/** stampOf follows links. The error is the system's code, `ENOENT` for a file that is not there. */
export async function stampOf(path: string): Promise<Result<FileStamp | null>> {
  try {
    const found = await stat(path, { bigint: true });
    if (!found.isFile()) return ok(null);
    const { dev, ino, size, mtimeNs, ctimeNs } = found;
    return ok({
      text: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`,
      bytes: Number(size),
      modifiedAt: Number(mtimeNs / 1_000_000n),
      movedSince: ctimeNs > mtimeNs,
    });
  } catch (error) {
    return err((error as NodeJS.ErrnoException).code ?? String(error));
  }
}

/** A file written longer ago than this is at rest. */
const OLD_MS = 1000;
const QUIET_MS = 5;
/** A file that is empty now was most likely truncated by a writer that goes on at once. */
const EMPTY_QUIET_MS = 250;

/** quietMs is how long a file has to stay unchanged before it is read: not at all where nobody can be writing it. A
 *  rename puts a finished file in place; a file written in place shows no end of the writing. */
export function quietMs(stamp: FileStamp, now: number, complete: boolean): number {
  if (complete && stamp.bytes > 0) return 0;
  const age = now - stamp.modifiedAt;
  if (stamp.bytes === 0) return age > OLD_MS ? 0 : EMPTY_QUIET_MS;
  return stamp.movedSince || age > OLD_MS ? 0 : QUIET_MS;
}

/** However long a writer goes on: changes are to be seen within a second. */
const LONGEST_WAIT_MS = 500;

/** settle waits until a file can be read, and gives its stamp then; null where it is a file no more. */
export async function settle(
  path: string,
  first: FileStamp,
  { clock, complete, signal }: { readonly clock: Clock; readonly complete: boolean; readonly signal: AbortSignal },
): Promise<FileStamp | null> {
  const begin = clock.monotonic();
  let stamp = first;
  for (let since = begin; clock.monotonic() - since < quietMs(stamp, clock.now(), complete); ) {
    if (clock.monotonic() - begin > LONGEST_WAIT_MS) break;
    await clock.sleep(QUIET_MS, signal);
    const next = await stampOf(path);
    if (!next.ok || next.value === null) return null;
    if (next.value.text !== stamp.text) since = clock.monotonic();
    stamp = next.value;
  }
  return stamp;
}
