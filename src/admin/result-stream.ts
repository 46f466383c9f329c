import type { ServerResponse } from "node:http";
import type { Result } from "#values";
import { beginStream } from "./send.ts";

/** Why the work could not be done, in words for a person. */
interface Fault {
  readonly code: string;
  readonly message: string;
}

/** Progress that a slow reader has not taken, in bytes; more is left out: it is news, not data. */
const MAX_WAITING = 1 << 20;

/** streamResult answers with lines of JSON: progress as it comes, then the result or the error. What the work throws
 *  is thrown on after the line that says so, without its reason. */
export async function streamResult(
  response: ServerResponse,
  work: (progress: (line: unknown) => void) => Promise<Result<unknown, Fault>>,
): Promise<void> {
  beginStream(response, "application/x-ndjson");
  const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
  const progress = (value: unknown): void => {
    if (!response.writableEnded && response.writableLength < MAX_WAITING) response.write(line({ progress: value }));
  };
  try {
    const result = await work(progress);
    const { code, message } = result.ok ? { code: "", message: "" } : result.error;
    response.end(line(result.ok ? { result: result.value ?? null } : { error: { code, message } }));
  } catch (error) {
    response.end(line({ error: { code: "internal", message: "the daemon failed: see its log" } }));
    throw error;
  }
}
