import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readMap, writeMap } from "#life";
import { err, ok, type Result } from "#values";
import { indexOf } from "./ours.ts";
import { rpFilter } from "./wanted.ts";

/** Written directly: `sysctl` takes the dots in a link's name for separators. */
const ROOT = "/proc/sys";
/** A container's /proc/sys is read-only, but for one that may do everything: there the settings of the same network
 *  namespace are mounted here, as deploy/kubernetes has it. */
const ROOT_IN_POD = "/host/proc/sys";
const GLOBAL = ["net/ipv4/ip_forward", "net/ipv4/fib_multipath_hash_policy"];

/** readSysctls reads the settings that a plan may change: of this network namespace, as /proc/sys/net shows it. */
export async function readSysctls(): Promise<ReadonlyMap<string, string>> {
  const links = await readdir(join(ROOT, "net/ipv4/conf")).catch(() => []);
  const names = [...GLOBAL, ...links.map(rpFilter)];
  const pairs = await Promise.all(names.map(async (name) => [name, await readSysctl(name)] as const));
  return new Map(pairs.filter((pair): pair is [string, string] => pair[1] !== undefined));
}

async function readSysctl(name: string): Promise<string | undefined> {
  // A link may go between the listing and the reading.
  return readFile(join(ROOT, name), "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** Sysctls changes settings, and keeps what they were in DATA/sysctl.json until restore. */
export class Sysctls {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, "sysctl.json");
  }

  /** set writes a setting. The value before our first change is on disk before it is lost. */
  async set(name: string, value: string): Promise<Result<null>> {
    const saved = await readMap(this.#path);
    const before = await readSysctl(name);
    if (!isOurs(name) && before !== undefined && !saved.has(name)) {
      const kept = await writeMap(this.#path, new Map([...saved, [name, before]]));
      if (!kept.ok) return kept;
    }
    return write(name, value);
  }

  /** restore gives every setting its value from before us; those of links that are gone have none. */
  // Restored in the order of change; the file goes only when all of them are back, so that a failure can be repeated.
  async restore(): Promise<Result<null>> {
    const faults: string[] = [];
    for (const [name, value] of await readMap(this.#path)) {
      if ((await readSysctl(name)) === undefined) continue;
      const done = await write(name, value);
      if (!done.ok) faults.push(done.error);
    }
    if (faults.length > 0) return err(faults.join("; "));
    await rm(this.#path, { force: true });
    return ok(null);
  }
}

/** isOurs reports whether a setting goes away with an interface of ours. */
function isOurs(name: string): boolean {
  return indexOf(name.split("/")[3] ?? "") !== undefined;
}

/** write sets one value; the kernel checks it. */
async function write(name: string, value: string): Promise<Result<null>> {
  let why = "";
  for (const root of [ROOT, ROOT_IN_POD]) {
    const fault = await writeFile(join(root, name), value).then(
      () => null,
      (error: NodeJS.ErrnoException) => error,
    );
    if (fault === null) return ok(null);
    why ||= fault.message;
    if (fault.code !== "EROFS") break;
  }
  return err(`sysctl ${name}=${value}: ${why}`);
}
