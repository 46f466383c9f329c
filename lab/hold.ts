import { type FileHandle, open, readlink } from "node:fs/promises";

/** Hold keeps network namespaces in being, so that their numbers are not given to others meanwhile. */
export interface Hold {
  /** As /proc names them, `net:[4026532000]`. */
  readonly networks: ReadonlySet<string>;
  release(): Promise<void>;
}

/** holdNetworks holds the network namespaces of some processes, except the caller's own. A process that has ended
 *  holds none. What is in a namespace, its links too, stays until the release. */
export async function holdNetworks(pids: readonly number[]): Promise<Hold> {
  const networks = new Set([await readlink("/proc/self/ns/net")]);
  const own = [...networks];
  const handles: FileHandle[] = [];
  for (const pid of pids) {
    const handle = await open(`/proc/${pid}/ns/net`).catch(() => undefined);
    if (handle === undefined) continue;
    const network = await readlink(`/proc/self/fd/${handle.fd}`);
    if (networks.has(network)) await handle.close();
    else handles.push(handle);
    networks.add(network);
  }
  for (const network of own) networks.delete(network);
  const release = async (): Promise<void> => {
    await Promise.all(handles.splice(0).map((handle) => handle.close()));
  };
  return { networks, release };
}
