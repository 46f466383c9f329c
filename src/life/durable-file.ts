import { open, readFile, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { err, ok, type Result } from "#values";

/** writeDurably replaces a file of mode 0600 whole: after a crash it is the old one or the new one, never a part. */
export async function writeDurably(path: string, text: string): Promise<Result<null>> {
  const draft = `${path}.new`;
  try {
    // "wx" below: never through a link that somebody laid there.
    await rm(draft, { force: true });
    await using file = await open(draft, "wx", 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(draft, path);
    // The rename itself is durable only with its folder.
    await using folder = await open(dirname(path), "r");
    await folder.sync();
    return ok(null);
  } catch (error) {
    return err(`${path}: ${(error as Error).message}`);
  }
}

/** readIfThere is a file's text, or null where there is no such file. */
export async function readIfThere(path: string): Promise<Result<string | null>> {
  try {
    return ok(await readFile(path, "utf8"));
  } catch (error) {
    const fault = error as NodeJS.ErrnoException;
    return fault.code === "ENOENT" ? ok(null) : err(`${path}: ${fault.message}`);
  }
}

/** readMap reads a JSON object of strings; a file that is missing or damaged is an empty one. */
export async function readMap(path: string): Promise<ReadonlyMap<string, string>> {
  const text = await readIfThere(path);
  try {
    const value: unknown = JSON.parse((text.ok && text.value) || "{}");
    const entries = Object.entries(value as Record<string, unknown>);
    return new Map(entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"));
  } catch {
    return new Map();
  }
}

/** writeMap writes what readMap reads, in lines that a person can read too. */
export async function writeMap(path: string, map: ReadonlyMap<string, string>): Promise<Result<null>> {
  return writeDurably(path, `${JSON.stringify(Object.fromEntries(map), null, 1)}\n`);
}
