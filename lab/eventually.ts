import { type Clock, systemClock } from "#life";
import { err, type Result } from "#values";

/** Patience is how long and how often to ask. */
export interface Patience {
  /** How long to go on; 10 s unless told. The last question may end later. */
  readonly timeoutMs?: number;
  /** Pause between two questions; 100 ms unless told. */
  readonly everyMs?: number;
  /** Time, for tests. */
  readonly clock?: Clock;
}

/** eventually repeats a question until its answer is good, and gives that answer.
 *  When the time is over, the error is the last answer's. */
export async function eventually<T>(
  ask: () => Promise<Result<T>>,
  { timeoutMs = 10_000, everyMs = 100, clock = systemClock }: Patience = {},
): Promise<Result<T>> {
  const start = clock.monotonic();
  for (;;) {
    const answer = await ask();
    if (answer.ok) return answer;
    const waited = Math.round(clock.monotonic() - start);
    if (waited >= timeoutMs) return err(`${answer.error} (after ${waited} ms)`);
    await clock.sleep(everyMs);
  }
}
