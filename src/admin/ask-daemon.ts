import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { err, ok, type Result } from "#values";
import { type AskFault, askHttp, readAnswer } from "./ask-http.ts";

/** DaemonAsk is one question to a daemon on this host. */
export interface DaemonAsk {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal: AbortSignal;
  /** Hears of each line that comes before the result. */
  readonly onProgress?: (line: unknown) => void;
}

/** Codes of errors that say that the question was wrong; all others are failures. */
const REFUSALS: readonly string[] = ["unknown", "not-found", "invalid", "conflict", "exhausted"];

/** askDaemon puts a question to the daemon that listens on a socket in its data folder (createStatusHttp). */
export async function askDaemon(socketPath: string, ask: DaemonAsk): Promise<Result<unknown, AskFault>> {
  const { method, path, query = {}, body, signal, onProgress = () => {} } = ask;
  const search = new URLSearchParams({ ...query }).toString();
  const options = {
    socketPath,
    method,
    path: search === "" ? path : `${path}?${search}`,
    headers: { host: "localhost" },
  };
  const result = await askHttp({ tls: false, options, body, signal, where: socketPath }, (response) =>
    isStream(response) ? readStream(response, onProgress) : readAnswer(response),
  );
  if (result.ok || result.error.code !== "not-running") return result;
  const message = `no meridian daemon answers at ${socketPath}: is it running, and is --data its folder?`;
  return err({ code: "not-running", message });
}

/** A POST that was refused before it began answers a problem instead of lines. */
function isStream({ statusCode, headers }: IncomingMessage): boolean {
  return statusCode === 200 && headers["content-type"] === "application/x-ndjson";
}

/** One line of an answer (streamResult): exactly one of these is there. */
interface Line {
  readonly progress?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
}

/** readStream reads lines as they come, up to the result or the error. A stream that ends before either, or has a line
 *  that is not JSON, is an answer that did not arrive. */
async function readStream(
  response: IncomingMessage,
  onProgress: (line: unknown) => void,
): Promise<Result<unknown, AskFault>> {
  for await (const text of createInterface({ input: response, crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = JSON.parse(text) as Line;
    if ("progress" in line) onProgress(line.progress);
    else if (line.error === undefined) return ok(line.result ?? null);
    else return err({ code: REFUSALS.includes(line.error.code) ? "refused" : "failed", message: line.error.message });
  }
  return err({ code: "failed", message: "the daemon ended before it had answered" });
}
