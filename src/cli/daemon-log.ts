import { createLog, type Log } from "#life";
import { err, ok, type Result } from "#values";
import { oneOf } from "./parsers.ts";
import type { Reader } from "./reader.ts";
import type { Surroundings } from "./verb.ts";

/** daemonLog is the log that --log-format and --log-level ask for, on stderr. */
export function daemonLog(reader: Reader, around: Surroundings): Log {
  const format = reader.one("log-format", oneOf("text", "json")) ?? (around.terminal ? "text" : "json");
  const level = reader.one("log-level", oneOf("debug", "info", "warn", "error"), "info") ?? "info";
  return createLog(format, level, { write: (text) => around.err(text) });
}

/** absolute makes a folder or file name independent of the working directory. */
export function path(value: string): Result<string> {
  return value === "" || value.includes("\0") ? err("must be a path") : ok(value);
}
