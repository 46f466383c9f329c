import { appendFile, mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { err, ok, type Result } from "#values";
import { eventually } from "./eventually.ts";
import type { Run } from "./run.ts";

/** Where a run notes the cgroups that it makes, one a line: they outlive its processes. */
const LIST = "cgroups";

/** createCgroups makes a cgroup of a name in every hierarchy, and gives their folders. They are below the caller's own
 *  in cgroup v1; in v2 below the root, since a cgroup that has processes can share nothing out (not tried: there was
 *  no such machine). */
export async function createCgroups(run: Run, name: string): Promise<readonly string[]> {
  const parents = cgroupFolders(
    await readFile("/proc/self/cgroup", "utf8"),
    await readFile("/proc/self/mountinfo", "utf8"),
  );
  const made = parents.map((parent) => [parent, join(parent, folderName(run, name))] as const);
  await appendFile(join(run.folder, LIST), made.map(([, folder]) => `${folder}\n`).join(""));
  for (const [parent, folder] of made) {
    await mkdir(folder);
    await inheritCpus(parent, folder);
  }
  return made.map(([, folder]) => folder);
}

/** listCgroups lists all that a run has made, or those of one name, whether or not they are still there. */
export async function listCgroups(run: Pick<Run, "folder">, name?: string): Promise<readonly string[]> {
  const text = await readFile(join(run.folder, LIST), "utf8").catch(() => "");
  const wanted = (line: string): boolean => name === undefined || basename(line) === folderName(run, name);
  return [...new Set(text.split("\n").filter((line) => line !== "" && wanted(line)))];
}

/** removeCgroups waits until the last process of each has gone, and removes it. Throws when that does not happen. */
export async function removeCgroups(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const gone = await eventually(() => removeTree(folder), { timeoutMs: 20_000, everyMs: 20 });
    if (!gone.ok) throw new Error(`the cgroup ${folder} stays: ${gone.error}`);
  }
}

/** cgroupFolders finds the folders of a process's own cgroups from its /proc/PID/cgroup and mountinfo (cgroups(7),
 *  proc_pid_mountinfo(5)). Where v1 has controllers, v2 has none of its own. */
export function cgroupFolders(cgroup: string, mountinfo: string): readonly string[] {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [own = "", rest = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = own.split(" ");
    const [type = "", , options = ""] = rest.split(" ");
    return type === "cgroup" || type === "cgroup2" ? [{ root, point, type, options: options.split(",") }] : [];
  });
  const own = cgroup.split("\n").flatMap((line) => {
    const [id = "", controllers = "", ...path] = line.split(":");
    return id === "" ? [] : [{ controllers, path: path.join(":") }];
  });
  const isV1 = own.some(({ controllers }) => controllers !== "");
  return own.flatMap(({ controllers, path }) => {
    if (isV1 && controllers === "") return [];
    const wanted = controllers.split(",");
    const mount = mounts.find(({ type, options }) =>
      isV1 ? type === "cgroup" && wanted.every((one) => options.includes(one)) : type === "cgroup2",
    );
    if (mount === undefined) return [];
    return [isV1 ? join(mount.point, relative(mount.root, path)) : mount.point];
  });
}

function folderName(run: Pick<Run, "folder">, name: string): string {
  return `${basename(run.folder)}-${name}`;
}

/** A new cpuset has no CPUs, and takes no process before it has some. */
async function inheritCpus(parent: string, folder: string): Promise<void> {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) {
    const value = (await readFile(join(parent, name), "utf8").catch(() => "")).trim();
    if (value !== "") await writeFile(join(folder, name), value);
  }
}

/** The files in a cgroup need no removal, and allow none. */
async function removeTree(folder: string): Promise<Result<void>> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const entry of entries.filter((one) => one.isDirectory())) await removeTree(join(folder, entry.name));
    await rmdir(folder);
    return ok(undefined);
  } catch (reason) {
    const code = (reason as NodeJS.ErrnoException).code;
    return code === "ENOENT" ? ok(undefined) : err(String(reason));
  }
}
