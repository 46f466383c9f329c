import { systemClock } from "#life";
import { endProcess } from "./processes.ts";

/** Ten seconds in all: a process in an uninterruptible call ends when the call does. */
const ROUND_MS = 10;
const MOST_ROUNDS = 1000;

/** endAll ends the processes that are found until none is. Throws if one outlives SIGKILL. */
export async function endAll(find: () => Promise<readonly number[]>): Promise<void> {
  for (let round = 0; ; round++) {
    const left = await find();
    if (left.length === 0) return;
    if (round === MOST_ROUNDS) throw new Error(`processes do not end: ${left.join(", ")}`);
    for (const pid of left) endProcess(pid);
    await systemClock.sleep(ROUND_MS); // the end of somebody else's child cannot be awaited
  }
}
