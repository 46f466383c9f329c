import { join } from "node:path";
import { askDaemon } from "#admin";
import { err, ok, type Result } from "#values";
import { dataDir, oneOf } from "./parsers.ts";
import { Reader } from "./reader.ts";
import { type Call, type ExitCode, fail } from "./verb.ts";

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** Who answers it, where not every daemon does. */
  readonly of?: "gateway" | "broker";
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Asking is what every verb reads that asks a daemon on this host. */
export interface Asking {
  readonly reader: Reader;
  /** Data folder of the daemon. */
  readonly dir: string;
  readonly json: boolean;
}

/** asking reads --data and --output; the verb reads the rest, and looks at the faults before it asks. */
export function asking({ given }: Call): Asking {
  const reader = new Reader(given);
  const dir = reader.one("data", dataDir, "/var/lib/meridian") ?? "";
  const json = reader.one("output", oneOf("json", "table"), "table") === "json";
  return { reader, dir, json };
}

/** ask puts a question to the daemon of a folder. Progress lines go to stderr, on a terminal only. */
export async function ask(dir: string, call: Call, { of, ...question }: Question): Promise<Result<unknown>> {
  const socket = join(dir, "admin.sock");
  const answer = await askDaemon(socket, {
    ...question,
    signal: call.signal,
    onProgress: (line: unknown) => call.around.terminal && call.around.err(`${String(line)}\n`),
  });
  if (answer.ok) return ok(answer.value);
  const { code, message } = answer.error;
  if (code === "not-running" && of !== undefined)
    return err(`no ${of} answers at ${socket}: is it running, and is --data its folder?`);
  // A daemon of another role has no such path.
  const stranger = code === "refused" && of !== undefined && /there is no such path/.test(message);
  return err(stranger ? `the daemon of ${dir} is no ${of}: give the --data of one` : message);
}

/** print writes a result as JSON or as a person reads it. */
export function print({ around }: Call, json: boolean, value: unknown, asText: () => string): void {
  around.out(json ? `${JSON.stringify(value)}\n` : asText());
}

/** orFail prints a fault, or goes on with the value. */
export function orFail<T>(call: Call, result: Result<T>, go: (value: T) => ExitCode): ExitCode {
  return result.ok ? go(result.value) : fail(call.around, result.error);
}
