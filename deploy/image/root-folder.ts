import { copyFile, cp, mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describeFault, runCommand } from "#life";
import { err, ok, type Result } from "#values";

/** The shape of Debian's root since 12: programs and libraries are in /usr. */
const LINKS = { bin: "usr/bin", sbin: "usr/sbin", lib: "usr/lib", lib64: "usr/lib64", "var/run": "../run" } as const;
const FOLDERS = ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/bin", "etc", "tmp", "dev", "proc", "sys"];

/** makeRoot makes an empty root with the folders that every container has. */
export async function makeRoot(root: string): Promise<void> {
  for (const folder of [...FOLDERS, "run", "var"]) await mkdir(join(root, folder), { recursive: true });
  for (const [link, to] of Object.entries(LINKS)) await symlink(to, join(root, link));
  await writeFile(join(root, "etc/passwd"), "root:x:0:0:root:/:/bin/sh\nmeridian:x:65532:65532::/:/bin/sh\n");
  await writeFile(join(root, "etc/group"), "root:x:0:\nmeridian:x:65532:\n");
  await writeFile(join(root, "etc/nsswitch.conf"), "hosts: files dns\n");
  await writeFile(join(root, "etc/protocols"), "ip 0 IP\nicmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n");
}

/** addProgram copies a program of this machine, given by name or path, with the libraries that it loads. `to` is its path
 *  in the root; where it is on this machine unless told. */
export async function addProgram(root: string, program: string, to?: string): Promise<Result<void>> {
  const found = await runCommand(["sh", "-c", 'PATH="$PATH:/usr/sbin:/sbin" command -v "$0"', program]);
  if (!found.ok) return err(`there is no program ${program}`);
  const path = found.value.trim();
  const real = await realpath(path);
  await place(real, join(root, to ?? join(await realpath(dirname(path)), basename(path))));
  const loaded = await runCommand(["ldd", real]);
  // a program that loads nothing has no list
  if (!loaded.ok)
    return /not a dynamic/.test(describeFault(loaded.error)) ? ok(undefined) : err(describeFault(loaded.error));
  for (const library of librariesIn(loaded.value)) await place(library, join(root, library));
  return ok(undefined);
}

/** librariesIn reads what ldd prints: `name => /path (0x…)`, or the loader's path alone. */
export function librariesIn(text: string): readonly string[] {
  return [...text.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map((match) => match[1] ?? "");
}

/** dependenciesIn lists the folders of what a lockfile needs at run time; what it may do without is there or not. */
export async function dependenciesIn(lockfile: string): Promise<readonly string[]> {
  const { packages } = JSON.parse(await readFile(lockfile, "utf8")) as {
    readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>>;
  };
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== "" && dev !== true && devOptional !== true)
    .map(([path]) => path);
}

/** addFolder copies a folder; files whose path `leaveOut` matches stay behind. */
export async function addFolder(from: string, to: string, leaveOut?: RegExp): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, filter: (path) => leaveOut?.test(path.slice(from.length)) !== true });
}

async function place(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}
