import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "#values";

/** Nothing that this room reads is longer: a longer file is not ours. */
const MAX_BYTES = 1 << 20;

/** FileFault tells a missing file from one that is there and cannot be used; `message` names the path. */
export interface FileFault {
  readonly code: "missing" | "unusable";
  readonly message: string;
}

/** writeDurably replaces a file whole: after a crash there is either the old text or the new one, never a part.
 *  The new text is on the disk when this returns: temporary file, fsync, rename, fsync of the folder (rename(2)
 *  alone is atomic, but not durable). The mode is set whatever the umask is. */
export function writeDurably(path: string, text: string, mode = 0o600): Result<void> {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  try {
    rmSync(temporary, { force: true }); // left by a crash; O_EXCL below then refuses a planted symbolic link
    const file = openSync(temporary, "wx", mode);
    try {
      fchmodSync(file, mode);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    syncFolder(dirname(path));
    return ok(undefined);
  } catch (error) {
    rmSync(temporary, { force: true });
    return err(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** removeDurably removes a file if it is there, and the removal outlives a crash. */
export function removeDurably(path: string): Result<void> {
  try {
    rmSync(path, { force: true });
    syncFolder(dirname(path));
    return ok(undefined);
  } catch (error) {
    return err(`cannot remove ${path}: ${reasonOf(error)}`);
  }
}

/** readPrivate reads a file that holds a secret, and refuses one that others may read, as ssh does: a secret that was
 *  readable must be taken as known. */
export function readPrivate(path: string): Result<string, FileFault> {
  return readChecked(path, (mode) =>
    (mode & 0o077) === 0
      ? undefined
      : `${path} holds a secret and others may read it (mode ${(mode & 0o777).toString(8).padStart(4, "0")}): chmod 600 ${path}`,
  );
}

/** readPublic reads a file that anybody may see, a certificate for example. */
export function readPublic(path: string): Result<string, FileFault> {
  return readChecked(path, () => undefined);
}

/** Opens, looks at what was opened, reads: in this order nobody can exchange the file in between. */
function readChecked(path: string, complaint: (mode: number) => string | undefined): Result<string, FileFault> {
  let file: number | undefined;
  try {
    // O_NONBLOCK: a FIFO put in the file's place must not hang the start
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const { mode, size } = fstatSync(file); // of what was opened, so nobody can swap the file in between
    if ((mode & constants.S_IFMT) !== constants.S_IFREG) return unusable(`${path} is not a file`);
    const wrong = complaint(mode);
    if (wrong !== undefined) return unusable(wrong);
    if (size > MAX_BYTES) return unusable(`${path} has ${size} bytes, more than ${MAX_BYTES}`);
    return ok(readFileSync(file, "utf8"));
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
    return missing
      ? err({ code: "missing", message: `${path} is missing` })
      : unusable(`cannot read ${path}: ${reasonOf(error)}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** There, but not to be used. */
function unusable(message: string): Result<never, FileFault> {
  return err({ code: "unusable", message });
}

/** A new name is on the disk only when its folder is. */
function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
