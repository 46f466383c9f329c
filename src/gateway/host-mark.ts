import { readFile } from "node:fs/promises";

/** hostMark names this host until it is booted again (Linux, proc(5): a random UUID for each boot); null where the
 *  kernel does not tell. Two hosts that were made from one image differ in it. */
export async function hostMark(): Promise<string | null> {
  try {
    return (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim().slice(0, 64);
  } catch {
    return null;
  }
}
