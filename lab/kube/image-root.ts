import { chmod, copyFile, mkdir, mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describeFault, runCommand } from "#life";

const FOLDERS = ["bin", "dev", "etc", "proc", "root", "sys", "tmp", "usr/bin", "usr/sbin", "var"];
const FILES = {
  "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
  "etc/group": "root:x:0:\nnobody:x:65534:\n",
  "etc/nsswitch.conf": "hosts: files dns\n",
} as const;

/** ImageRoot is a folder that becomes the root of an image. Whoever made it removes it. */
export interface ImageRoot {
  readonly folder: string;
  /** add copies a program of this machine, and the libraries that it is linked against, to `/usr/bin`. */
  add(program: string): Promise<void>;
  /** addBusybox adds busybox as `/bin/sh` and all else that it can be; what was added already stays. */
  addBusybox(): Promise<void>;
}

/** makeImageRoot makes one that has no program. */
export async function makeImageRoot(): Promise<ImageRoot> {
  const folder = await mkdtemp(join(tmpdir(), "meridian-image-"));
  await chmod(folder, 0o755); // it becomes the container's root
  for (const name of FOLDERS) await mkdir(join(folder, name), { recursive: true, mode: 0o755 });
  await chmod(join(folder, "tmp"), 0o1777);
  for (const [name, text] of Object.entries(FILES)) await writeFile(join(folder, name), text);
  return {
    folder,
    add: (program) => add(folder, program),
    addBusybox: () => addBusybox(folder),
  };
}

async function add(folder: string, program: string): Promise<void> {
  const path = await must(["sh", "-c", 'PATH="$PATH:/usr/sbin:/sbin"; readlink -f "$(command -v "$0")"', program]);
  await install(path, join(folder, "usr/bin", basename(program)));
  // A static program has none, and ldd says so by its exit code.
  const linked = await runCommand(["ldd", path]);
  const libraries = (linked.ok ? linked.value : "").match(/\/[^ ]+(?= \(0x)/g) ?? [];
  for (const library of libraries) await install(library, join(folder, library));
}

async function addBusybox(folder: string): Promise<void> {
  await add(folder, "busybox");
  const applets = await must(["busybox", "--list"]);
  for (const applet of applets.split("\n").filter((name) => name !== "" && name !== "busybox")) {
    await symlink("/usr/bin/busybox", join(folder, "bin", applet)).catch(() => {}); // one comes after /usr/bin in PATH
  }
}

async function install(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
  await chmod(to, 0o755);
}

async function must(argv: readonly string[]): Promise<string> {
  const done = await runCommand(argv);
  if (!done.ok) throw new Error(describeFault(done.error));
  return done.value.trim();
}
