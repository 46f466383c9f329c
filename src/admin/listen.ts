import { chmod, mkdtemp, rename, rm } from "node:fs/promises";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { formatHostPort, type HostPort } from "#values";

/** Place is where a server listens: an address, or a path in the file system that only its owner may open. */
export type Place = HostPort | { readonly path: string };

/** Longest path that an address of a socket holds, on Linux, without the zero at its end (unix(7)). */
const MAX_PATH = 107;

/** listen binds a server. Throws an error that says which place could not be had, and why. */
export async function listen(server: Server, place: Place): Promise<void> {
  try {
    if ("path" in place) await listenOnPath(server, place.path);
    else await bind(server, { host: place.host, port: place.port });
  } catch (error) {
    throw listenFault(error as NodeJS.ErrnoException, place);
  }
}

/** The socket is made where nobody else can look, becomes 0600 there, and only then gets its name, which it takes over
 *  from one that a killed process left behind. */
async function listenOnPath(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH) throw new Error(`has more than the ${MAX_PATH} bytes of a socket's path`);
  const room = await mkdtemp(join(dirname(path), ".s"));
  try {
    const made = join(room, "s");
    await bind(server, { path: made });
    await chmod(made, 0o600);
    await rename(made, path);
  } finally {
    await rm(room, { recursive: true, force: true });
  }
}

/** bind resolves when the kernel has the port or the path, and rejects with its reason. */
function bind(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(where, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Addresses are given by --http, so that is what must be changed; a path is made from --data. */
function listenFault(error: NodeJS.ErrnoException, place: Place): Error {
  const where = "path" in place ? place.path : `--http ${formatHostPort(place)}`;
  return new Error(`${where} ${error.code === "EADDRINUSE" ? "is taken" : error.message}`);
}
