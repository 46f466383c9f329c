import type { Troubles } from "#life";
import type { Result } from "#values";
import type { ApiFault } from "../api/fault.ts";
import type { Outcome } from "./keyed-queue.ts";

const TROUBLE = "import-unwritten";
const MOST_MS = 30_000;

/** judge tells of an import that could not be written, and says when to try again; the value of what was done is how long
 *  to wait before there is more to do. */
export function judge(troubles: Troubles, key: string, done: Result<number, ApiFault>): Outcome {
  if (done.ok) {
    troubles.clear(TROUBLE, key);
    return done.value > 0 ? { kind: "again", afterMs: done.value } : { kind: "done" };
  }
  const { code, reason, message, retryAfterMs } = done.error;
  const title = "An imported service cannot be written to the API server";
  const detail = `${reason || code}: ${message}`;
  troubles.set({ code: TROUBLE, severity: "warning", title, subject: key, detail });
  return { kind: "failed", afterMs: Math.min(retryAfterMs ?? 0, MOST_MS) };
}
