import { listCgroups, removeCgroups } from "./cgroups.ts";
import { endAll } from "./end-all.ts";
import { holdNetworks } from "./hold.ts";
import { orphanedFolders, processesOf } from "./processes.ts";
import { listRuns, type Run, type RunRecord, removeFolder } from "./run.ts";

/** sweepRun ends every process of a run and deletes its cgroups and its folder. Namespaces, links, routes, rules and
 *  mounts need no hand: the kernel removes them with the last process that is in them. The namespaces are held
 *  meanwhile, so that a process without the mark is found when those that had it are gone. Throws if a process outlives
 *  SIGKILL. */
export async function sweepRun(run: Pick<Run, "folder">): Promise<void> {
  const hold = await holdNetworks(await processesOf(run.folder));
  try {
    await endAll(() => processesOf(run.folder, hold.networks));
  } finally {
    await hold.release();
  }
  await removeCgroups(await listCgroups(run));
  await removeFolder(run);
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
