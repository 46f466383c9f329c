import { existsSync } from "node:fs";
import { readdir, readFile, readlink } from "node:fs/promises";

/** MARK is the environment variable by which every process of a run is known, whoever its parent is by now. Its value
 *  is the run's folder. */
export const MARK = "MERIDIAN_LAB";

interface Seen {
  readonly pid: number;
  /** Folder of the mark; undefined where there is none. */
  readonly folder: string | undefined;
  /** Network namespace as /proc names it, `net:[4026532000]`. */
  readonly network: string | undefined;
}

/** orphanedFolders finds the folders of runs that have processes but no folder any more: a run that was stopped while
 *  it was being built. */
export async function orphanedFolders(): Promise<readonly string[]> {
  const seen = await Promise.all((await pids()).map(lookAt));
  return [...new Set(seen.filter(isOrphan).flatMap(({ folder }) => folder ?? []))];
}

/** The folder is looked for where the process sees it, which may be a container of its own. That the process lives is
 *  asked after that: one which ends meanwhile shows no folder either, and must not cost its run the life. */
function isOrphan({ pid, folder }: Seen): boolean {
  return folder !== undefined && !existsSync(`/proc/${pid}/root${folder}`) && existsSync(`/proc/${pid}/root/`);
}

/** processesOf finds the processes of the run with a folder: those that carry its mark, and all others in its network namespaces
 *  (a daemon may clear its environment). A namespace counts only while a marked process holds it, since its number
 *  is used again later; `held` are further ones that the caller holds. The caller's own never counts. */
export async function processesOf(folder: string, held: ReadonlySet<string> = new Set()): Promise<readonly number[]> {
  const own = await readlink("/proc/self/ns/net");
  const seen = await Promise.all((await pids()).map(lookAt));
  const marked = seen.filter((process) => process.folder === folder);
  const networks = new Set<string | undefined>([...held, ...marked.map((process) => process.network)]);
  networks.delete(own);
  networks.delete(undefined);
  return seen.filter((process) => process.folder === folder || networks.has(process.network)).map(({ pid }) => pid);
}

/** processesIn finds the processes of one program, by the name it runs under, in the network namespace of another. */
export async function processesIn(pid: number, program: string): Promise<readonly number[]> {
  const network = await readlink(`/proc/${pid}/ns/net`);
  const seen = (await Promise.all((await pids()).map(lookAt))).filter((process) => process.network === network);
  const names = await Promise.all(seen.map((process) => readFile(`/proc/${process.pid}/comm`, "utf8").catch(() => "")));
  return seen.filter((_, i) => names[i]?.trim() === program).map((process) => process.pid);
}

/** processesInNetwork finds all processes of a network namespace, named as /proc does, `net:[4026532000]`. */
export async function processesInNetwork(network: string): Promise<readonly number[]> {
  const seen = await Promise.all((await pids()).map(lookAt));
  return seen.filter((process) => process.network === network).map(({ pid }) => pid);
}

/** startOf is the time at which a process started, in clock ticks since boot; undefined if there is none.
 *  Field 22 of /proc/PID/stat, counted after the command's closing bracket (proc_pid_stat(5)). */
export async function startOf(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? undefined : fields[19];
}

/** endProcess sends SIGKILL; a process that is gone already is as good. */
export function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended between being seen and being sent the signal.
  }
}

async function pids(): Promise<readonly number[]> {
  return (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map(Number);
}

/** lookAt reads what may be read: a process of another user, or one that just ended, shows nothing. */
async function lookAt(pid: number): Promise<Seen> {
  const environment = await readFile(`/proc/${pid}/environ`, "latin1").catch(() => "");
  const entry = environment.split("\0").find((text) => text.startsWith(`${MARK}=`));
  const network = await readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
  return { pid, folder: entry?.slice(MARK.length + 1), network };
}
