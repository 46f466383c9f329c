import { readFileSync } from "node:fs";
import { err, ok, type Result } from "#values";

/** What the system says of a file, as people say it. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EISDIR: "is a folder, not a file",
  EACCES: "may not be read by this user",
  ENOTDIR: "a part of the path is no folder",
};

/** readText reads a small file that a user named. The error says why it cannot be read, without its name. */
export function readText(path: string): Result<string> {
  try {
    return ok(readFileSync(path, "utf8"));
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return err(REASONS[code] ?? message);
  }
}
