import { createRun, type Run, sweep, sweepRun } from "#lab";
import { aborted, systemClock } from "#life";

/** Time that work which was stopped gets to notice, before its last processes are looked for. */
const NOTICE_MS = 1000;

/** inRun gives work a run of the laboratory and removes everything of it afterwards: when the work ends, when it
 *  throws, and when the signal aborts. A crash of this process leaves a dead run, which the next call sweeps. */
export async function inRun<T>(work: (run: Run) => Promise<T>, signal?: AbortSignal): Promise<T> {
  await sweep();
  const run = await createRun();
  const working = work(run);
  try {
    const stopped = signal === undefined ? [] : [aborted(signal).then(() => Promise.reject(signal.reason))];
    return await Promise.race([working, ...stopped]);
  } finally {
    await sweepRun(run);
    if (signal?.aborted === true) {
      // The work may have been starting something while the first sweep was under way.
      await Promise.race([working.catch(() => {}), systemClock.sleep(NOTICE_MS)]);
      await sweepRun(run);
    }
  }
}

/** stopSignal aborts at the first SIGINT or SIGTERM, so that namespaces are removed; a second one ends the process. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => stop.abort(new Error(`stopped by ${name}`)));
  }
  return stop.signal;
}
