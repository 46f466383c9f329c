import { join } from "node:path";
import { askDaemon } from "#admin";
import { err, ok, type Result } from "#values";
import { path } from "./daemon-log.ts";
import { oneOf } from "./parsers.ts";
import type { Reader } from "./reader.ts";
import { type Call, type ExitCode, fail } from "./verb.ts";

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** ask puts a question to the daemon of --data. Progress lines go to stderr, on a terminal only. */
export async function ask(reader: Reader, call: Call, question: Question): Promise<Result<unknown>> {
  const dataDir = reader.one("data", path, "/var/lib/meridian") ?? "";
  const answer = await askDaemon(join(dataDir, "admin.sock"), {
    ...question,
    signal: call.signal,
    onProgress: (line: unknown) => call.around.terminal && call.around.err(`${String(line)}\n`),
  });
  return answer.ok ? ok(answer.value) : err(answer.error.message);
}

/** wantsJson reads --output. */
export function wantsJson(reader: Reader): boolean {
  return reader.one("output", oneOf("json", "table"), "table") === "json";
}

/** print writes a result as JSON or as a person reads it. */
export function print({ around }: Call, json: boolean, value: unknown, asText: () => string): void {
  around.out(json ? `${JSON.stringify(value)}\n` : asText());
}

/** orFail prints a fault, or goes on with the value. */
export function orFail<T>(call: Call, result: Result<T>, go: (value: T) => ExitCode): ExitCode {
  return result.ok ? go(result.value) : fail(call.around, result.error);
}
