import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Clock } from "#life";
import type { Desk } from "./desk.ts";
import { beginStream } from "./send.ts";

/** A reader that takes nothing for so long is cut: what is written to it stays in memory. */
const STALLED_MS = 30_000;

/** sendEvents writes server-sent events at the reader's pace, until they end or the signal aborts. What the first of
 *  them throws is thrown before anything was sent. */
export async function sendEvents(
  response: ServerResponse,
  events: AsyncIterable<string>,
  {
    clock,
    signal,
    desk,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly desk: Pick<Desk, "settled"> },
): Promise<void> {
  for await (const text of events) {
    await desk.settled();
    if (!response.headersSent) beginStream(response, "text/event-stream");
    if (response.destroyed || signal.aborted) break;
    if (response.write(text)) continue;
    if (!(await drained(response, clock, signal))) return void response.destroy();
  }
  response.end();
}

/** drained waits until what was written has gone out, and reports whether it did in time. */
async function drained(response: ServerResponse, clock: Clock, signal: AbortSignal): Promise<boolean> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const out = once(response, "drain", { signal: either }).then(() => true);
  const late = clock.sleep(STALLED_MS, either).then(() => false);
  try {
    return await Promise.race([out, late]);
  } catch {
    return false; // the asker has gone, or the server stops
  } finally {
    stop.abort();
    await Promise.allSettled([out, late]);
  }
}
