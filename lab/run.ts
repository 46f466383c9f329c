import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ok, type Result } from "#values";
import { startOf } from "./processes.ts";

/** Run is one use of the laboratory. Its folder marks every process, so that all of it can be found again. */
export interface Run {
  readonly id: string;
  /** Holds logs, data and manifests: `log/`, `etc/`, `data/`, `manifests/`; mode 0700. */
  readonly folder: string;
}

/** RunRecord is what another process learns about a run from its folder. */
export interface RunRecord extends Run {
  /** Whether the process that made the run still lives. */
  readonly alive: boolean;
  /** Whether it was left up on purpose. */
  readonly kept: boolean;
}

interface Owner {
  readonly pid: number;
  /** Start time of the owner in clock ticks: with the pid it names a process for ever, since pids come again. */
  readonly start: string;
  readonly kept: boolean;
}

const PREFIX = "meridian-lab-";
const FOLDERS = ["log", "etc", "data", "manifests"];

/** createRun makes the folder of a new run in a parent folder (the system's for temporary files). */
export async function createRun(parent = tmpdir()): Promise<Run> {
  const folder = await mkdtemp(join(parent, PREFIX));
  for (const name of FOLDERS) await mkdir(join(folder, name));
  const run = { id: folder.slice(folder.lastIndexOf(PREFIX) + PREFIX.length), folder };
  await writeOwner(run, false);
  return run;
}

/** keepRun says that a run stays after its owner ends: from then on only a sweep of everything removes it. */
export async function keepRun(run: Run): Promise<void> {
  await writeOwner(run, true);
}

/** listRuns finds the runs of a parent folder, those of dead owners included. */
export async function listRuns(parent = tmpdir()): Promise<readonly RunRecord[]> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  return Promise.all(names.map((name) => readRun(join(parent, name), name.slice(PREFIX.length))));
}

/** removeFolder deletes all that a run wrote. */
export async function removeFolder(run: Pick<Run, "folder">): Promise<void> {
  await rm(run.folder, { recursive: true, force: true });
}

async function readRun(folder: string, id: string): Promise<RunRecord> {
  const owner = parseOwner(await readFile(join(folder, "owner.json"), "utf8").catch(() => ""));
  if (!owner.ok) return { id, folder, alive: false, kept: false };
  const { pid, start, kept } = owner.value;
  return { id, folder, alive: (await startOf(pid)) === start, kept };
}

/** parseOwner is lenient: a run whose owner died while writing has no owner, and is dead. */
function parseOwner(text: string): Result<Owner> {
  try {
    const { pid, start, kept } = JSON.parse(text) as Partial<Owner>;
    return ok({ pid: pid ?? 0, start: start ?? "", kept: kept === true });
  } catch {
    return { ok: false, error: "no owner" };
  }
}

/** The start time makes the record safe against a pid that comes again after a crash. */
async function writeOwner(run: Run, kept: boolean): Promise<void> {
  const owner: Owner = { pid: process.pid, start: (await startOf(process.pid)) ?? "", kept };
  await writeFile(join(run.folder, "owner.json"), JSON.stringify(owner));
}
