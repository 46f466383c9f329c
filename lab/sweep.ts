import { systemClock } from "#life";
import { holdNetworks } from "./hold.ts";
import { endProcess, orphanedFolders, processesOf } from "./processes.ts";
import { listRuns, type Run, type RunRecord, removeFolder } from "./run.ts";

/** Ten seconds in all: a process in an uninterruptible call ends when the call does. */
const ROUND_MS = 10;
const MOST_ROUNDS = 1000;

/** sweepRun ends every process of a run and deletes its folder. Namespaces, links, routes, rules and mounts need no
 *  hand: the kernel removes them with the last process that is in them. The namespaces are held meanwhile, so that a
 *  process without the mark is found when those that had it are gone. Throws if a process outlives SIGKILL. */
export async function sweepRun(run: Pick<Run, "folder">): Promise<void> {
  const hold = await holdNetworks(await processesOf(run.folder));
  try {
    await endAll(run.folder, hold.networks);
  } finally {
    await hold.release();
  }
  await removeFolder(run);
}

async function endAll(folder: string, networks: ReadonlySet<string>): Promise<void> {
  for (let round = 0; ; round++) {
    const left = await processesOf(folder, networks);
    if (left.length === 0) return;
    if (round === MOST_ROUNDS) throw new Error(`processes of ${folder} do not end: ${left.join(", ")}`);
    for (const pid of left) endProcess(pid);
    await systemClock.sleep(ROUND_MS); // the end of somebody else's child cannot be awaited
  }
}

/** sweep removes what dead runs left behind; with `kept` also those that were left up on purpose.
 *  Runs whose owner lives are never touched. Gives the runs it removed. */
export async function sweep({
  kept = false,
  parent,
}: {
  readonly kept?: boolean;
  readonly parent?: string;
} = {}): Promise<readonly RunRecord[]> {
  const dead = (await listRuns(parent)).filter((run) => isLeftover(run, kept));
  for (const run of dead) await sweepRun(run);
  for (const folder of await orphanedFolders()) await sweepRun({ folder });
  return dead;
}

/** isLeftover reports whether a run may be removed by somebody else than its owner. */
export function isLeftover(run: RunRecord, kept: boolean): boolean {
  return !run.alive && (kept || !run.kept);
}
