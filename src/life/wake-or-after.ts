import type { Clock } from "./clock.ts";

/** wakeOrAfter waits for a wake, for a span in milliseconds or for the end of the signal, whichever comes first. It
 *  leaves no timer behind: whoever is woken a thousand times a second would have thousands of them. */
export async function wakeOrAfter(
  woken: Promise<void>,
  clock: Pick<Clock, "sleep">,
  span: number,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const slept = clock.sleep(span, AbortSignal.any([signal, stop.signal])).catch(() => {});
  await Promise.race([woken, slept]);
  stop.abort();
}
