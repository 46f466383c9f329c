import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = "/sys/fs/cgroup";
/** The file that holds the limit: of the second version of control groups, and of the first. */
const FILES = ["memory.max", "memory.limit_in_bytes"] as const;

/** MemoryLimit is a control group whose processes may take so much memory beyond what they had when they came in; then
 *  the kernel kills one (cgroups(7)). Needs root, and the memory controller. */
export class MemoryLimit implements Disposable {
  readonly #dir: string;

  constructor(bytes: number) {
    const parent = memoryRoot();
    if (parent === null) throw new Error(`there is no memory controller under ${ROOT}`);
    this.#dir = join(parent, `meridian-test-${process.pid}`);
    mkdirSync(this.#dir);
    const file = FILES.map((name) => join(this.#dir, name)).find((path) => existsSync(path));
    if (file === undefined) throw new Error(`${this.#dir} has no limit of memory`);
    writeFileSync(file, String(bytes));
    const swap = join(this.#dir, "memory.swap.max");
    if (existsSync(swap)) writeFileSync(swap, "0");
  }

  /** take puts a process under it: what it allocates from now on counts. */
  take(pid: number): void {
    writeFileSync(join(this.#dir, "cgroup.procs"), String(pid));
  }

  /** Its processes must have ended. */
  [Symbol.dispose](): void {
    rmdirSync(this.#dir);
  }
}

/** memoryRoot is where groups with a limit of memory can be made; null where the machine has none. */
export function memoryRoot(): string | null {
  const first = join(ROOT, "memory");
  if (existsSync(join(first, "memory.limit_in_bytes"))) return first;
  const enabled = join(ROOT, "cgroup.subtree_control");
  return existsSync(enabled) && readFileSync(enabled, "utf8").split(/\s+/).includes("memory") ? ROOT : null;
}
