import { createRequire } from "node:module";
import type { DestinationStream, pino as Pino } from "pino";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "text" | "json";

/** Log is what rooms write to: a message for people and fields for machines. Nothing secret goes in. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** silentLog is for tests and for code that has nobody to tell. */
export const silentLog: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** createLog writes JSON lines, or for people `time LEVEL message key=value`, to a stream (the program's stderr). */
export function createLog(format: LogFormat, level: LogLevel, stream: { write(text: string): unknown }): Log {
  const sink: DestinationStream = { write: (line) => void stream.write(format === "json" ? line : asText(line)) };
  const logger = once(() => pinoLogger(level, sink));
  return {
    debug: (message, fields = {}) => logger().debug(fields, message),
    info: (message, fields = {}) => logger().info(fields, message),
    warn: (message, fields = {}) => logger().warn(fields, message),
    error: (message, fields = {}) => logger().error(fields, message),
  };
}

/** The library is loaded with the first line: most verbs never write one, and a server has names to answer first. */
function pinoLogger(level: LogLevel, sink: DestinationStream) {
  const { pino } = createRequire(import.meta.url)("pino") as { readonly pino: typeof Pino };
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    sink,
  );
}

/** once makes a value when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** asText turns one JSON line into one line for a person; values that could break the line are quoted (CWE-117). */
function asText(line: string): string {
  const { time, level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${plain(value)}`);
  return `${String(time).slice(11, 23)} ${String(level).toUpperCase().padEnd(5)} ${clean(`${msg}${rest.join("")}`)}\n`;
}

function plain(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

function clean(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not reach a terminal.
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
