import { readdir, writeFile } from "node:fs/promises";
import { setPriority } from "node:os";
import type { Clock } from "#life";

/** A kernel carries packets before it runs ordinary programs; a program that carries them in its stead should have its
 *  turn soon as well, and sooner than the daemons that start beside it. */
const NICE = -10;
/** Who may do little else has the kernel change a session's niceness ten times a second at most, whoever asks. */
const AGAIN = { tries: 5, afterMs: 120 } as const;

/** raiseShare gives a process that leads its own session a greater share of a busy machine; threads that it starts later
 *  inherit it. A session is weighed as a whole, and a niceness counts only within it (sched(7), "The autogroup
 *  feature"): without the session's, every daemon that starts would hold its own tunnels up for tenths of a second.
 *  It needs CAP_SYS_NICE; without it tunnels are as slow as the machine is busy. */
export async function raiseShare(pid: number, clock: Pick<Clock, "sleep">): Promise<void> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  for (const thread of threads) {
    try {
      setPriority(Number(thread), NICE);
    } catch {} // it has ended, or we may not
  }
  for (let left = AGAIN.tries; left > 0; left -= 1) {
    const fault = await writeFile(`/proc/${pid}/autogroup`, String(NICE)).catch(
      (error: NodeJS.ErrnoException) => error,
    );
    if (fault?.code !== "EAGAIN") return; // done; or there are no autogroups, or we may not
    await clock.sleep(AGAIN.afterMs);
  }
}
