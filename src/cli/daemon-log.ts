import { createLog, type Log } from "#life";
import { oneOf } from "./parsers.ts";
import type { Reader } from "./reader.ts";
import type { Surroundings } from "./verb.ts";

/** daemonLog is the log that --log-format and --log-level ask for, on stderr: text on a terminal, else JSON lines. */
export function daemonLog(reader: Reader, around: Surroundings, debug = false): Log {
  const format = reader.one("log-format", oneOf("text", "json")) ?? (around.terminal ? "text" : "json");
  const level = reader.one("log-level", oneOf("debug", "info", "warn", "error"), debug ? "debug" : "info") ?? "info";
  return createLog(format, level, { write: (text) => around.err(text) });
}
