import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Clock, isAbort, Latest } from "#life";

/** QUIET_MS gathers a burst: a pod that starts changes several links and routes within a few milliseconds. */
const QUIET_MS = 20;
const RESTART_MS = 500;
/** SUBSCRIBED_MS after its start `ip monitor` hears everything; what changed before that is told then. */
const SUBSCRIBED_MS = 200;

/** watchRoutes yields once at the start, and whenever links or routes have changed since: a slow reader gets one yield
 *  for many changes. It follows `ip monitor`, starts it again when it dies (with one yield for what may have been
 *  missed), and returns when the signal aborts and the program has ended. */
export async function* watchRoutes(signal: AbortSignal, clock: Clock): AsyncGenerator<void, void, void> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const changes = new Latest(1);
  const following = follow(both, clock, () => changes.set(changes.value + 1));
  let seen = 0;
  try {
    while (!signal.aborted) {
      const changed = changes.changed();
      if (changes.value !== seen) {
        seen = changes.value;
        yield;
        continue;
      }
      await Promise.race([changed, following]);
      await clock.sleep(QUIET_MS, signal);
    }
  } catch (reason) {
    if (!(signal.aborted && isAbort(reason))) throw reason;
  } finally {
    stop.abort();
    await following;
  }
}

/** follow runs `ip monitor` until the signal aborts. */
async function follow(signal: AbortSignal, clock: Clock, changed: () => void): Promise<void> {
  for (let first = true; !signal.aborted; first = false) {
    if (!first) await clock.sleep(RESTART_MS, signal).catch(() => {});
    if (signal.aborted) return;
    void clock.sleep(SUBSCRIBED_MS, signal).then(changed, () => {});
    const child = spawn("ip", ["-oneline", "monitor", "link", "route"], { stdio: ["ignore", "pipe", "ignore"] });
    const stop = (): void => void child.kill();
    signal.addEventListener("abort", stop, { once: true });
    // `ip` flushes after each message, so a line comes as soon as the kernel speaks; what it says is of no matter.
    createInterface(child.stdout).on("line", changed);
    await Promise.race([once(child, "close"), once(child, "error")]).catch(() => {}); // "error": no such program
    signal.removeEventListener("abort", stop);
  }
}
