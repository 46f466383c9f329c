import { readdir, readFile } from "node:fs/promises";

/** findProcess gives the pid of the daemon that was started with a data folder; undefined while there is none. The
 *  wrappers that start it (nsenter, sh) become the program itself by exec, so one process has the folder in its call. */
export async function findProcess(data: string): Promise<number | undefined> {
  for (const name of await readdir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const call = (await readFile(`/proc/${name}/cmdline`, "latin1").catch(() => "")).split("\0");
    if (call.includes(data) && call.includes("--data")) return Number(name);
  }
  return undefined;
}
