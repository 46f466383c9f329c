import { cpSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeFault, runCommand } from "#life";

/** Ballast is written in pieces of this size: less than that is left free. */
const PIECE = 4096;

/** SmallDisk is a file system of its own under a folder, with what the folder had: needs root. Whoever uses the folder
 *  must not run while it comes and goes. */
export class SmallDisk implements AsyncDisposable {
  readonly #folder: string;
  readonly #ballast: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#ballast = join(folder, "ballast");
  }

  /** under mounts it; `size` as mount(8) takes it. */
  static async under(folder: string, size: string): Promise<SmallDisk> {
    const aside = mkdtempSync(join(tmpdir(), "meridian-disk-"));
    try {
      copy(folder, aside);
      await run("mount", "-t", "tmpfs", "-o", `size=${size},mode=0700`, "tmpfs", folder);
      copy(aside, folder);
    } finally {
      rmSync(aside, { recursive: true });
    }
    return new SmallDisk(folder);
  }

  /** fill leaves no free page. */
  fill(): void {
    try {
      for (;;) writeFileSync(this.#ballast, Buffer.alloc(PIECE), { flag: "a" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }

  free(): void {
    rmSync(this.#ballast);
  }

  async remount(mode: "ro" | "rw"): Promise<void> {
    await run("mount", "-o", `remount,${mode}`, this.#folder);
  }

  /** What was written is gone with it. Lazily: a process that a failed test left behind may have it open. */
  async [Symbol.asyncDispose](): Promise<void> {
    await run("umount", "--lazy", this.#folder);
  }
}

/** A socket cannot be copied, and nobody needs an old one. */
function copy(from: string, to: string): void {
  for (const name of readdirSync(from)) {
    if (lstatSync(join(from, name)).isSocket()) continue;
    cpSync(join(from, name), join(to, name), { recursive: true, preserveTimestamps: true });
  }
}

async function run(...argv: readonly string[]): Promise<void> {
  const result = await runCommand(argv);
  if (!result.ok) throw new Error(describeFault(result.error));
}
