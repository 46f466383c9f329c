import { cp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRun, type Footprint, footprint, leftovers, type Run, sweep, sweepRun } from "#lab";
import { aborted, systemClock } from "#life";
import type { Teller } from "./teller.ts";

export interface ShowOptions {
  /** Leave everything up at the end. */
  readonly keep: boolean;
  /** Aborting takes everything down at once. */
  readonly signal: AbortSignal;
}

/** Perform builds clusters in a run and tells about them; it ends early when the run is swept under it. */
export type Perform = (run: Run, teller: Teller) => Promise<void>;

/** Time that a story which was stopped gets to notice, before its last processes are looked for. */
const NOTICE_MS = 1000;

/** show builds the clusters, tells the story and takes everything down, also when the story fails or is stopped.
 *  Gives the exit code; a failure says which check, and where the logs are. */
export async function show(teller: Teller, options: ShowOptions, perform: Perform): Promise<number> {
  await sweep();
  const run = await createRun();
  const before = await footprint(run);
  const story = perform(run, teller);
  try {
    await Promise.race([story, aborted(options.signal)]);
    if (options.signal.aborted) return await breakOff(run, story);
    if (!options.keep) await takeDown(run, teller, before);
    return 0;
  } catch (reason) {
    const logs = join(tmpdir(), `meridian-demo-logs-${run.id}`);
    await cp(join(run.folder, "log"), logs, { recursive: true }).catch(() => {}); // what failed matters more
    await sweepRun(run);
    teller.failed(`${teller.current}\n${reason instanceof Error ? reason.message : String(reason)}\nlogs: ${logs}`);
    return 1;
  }
}

/** breakOff sweeps twice: the story may have been starting something while the first sweep was under way. */
async function breakOff(run: Run, story: Promise<void>): Promise<number> {
  await sweepRun(run);
  await Promise.race([story.catch(() => {}), systemClock.sleep(NOTICE_MS)]);
  await sweepRun(run);
  return 130;
}

/** takeDown removes the run, and throws if anything of it is left on the machine. */
async function takeDown(run: Run, teller: Teller, before: Footprint): Promise<void> {
  teller.chapter("Nothing is left behind");
  const during = await footprint(run);
  await sweepRun(run);
  const left = await leftovers(run, before, during);
  if (left.length > 0) throw new Error(`left behind: ${left.join(", ")}`);
  teller.proved(`${during.processes.length} processes and ${during.hold.networks.size} namespaces are gone`);
}
