import { createSocket } from "node:dgram";
import { err, ok, type Result } from "#values";
import { interfaceName, MAX_INTERFACES } from "./ours.ts";

/** checkPort reports whether WireGuard will get its UDP port. wireguard-go says so only in its log, and only when the
 *  link goes up, so the port is tried beforehand in both families, as WireGuard binds it. */
export async function checkPort(index: number, port: number): Promise<Result<null>> {
  for (const type of ["udp4", "udp6"] as const) {
    const code = await tryBind(type, port);
    if (code === "EADDRINUSE" || code === "EACCES") return err(portFault(index, port));
  }
  return ok(null); // any other code: that family is not to be had here, which WireGuard bears
}

/** portFault is the error for a port that is taken: index i listens on the base port + i. */
export function portFault(index: number, port: number): string {
  const base = port - index;
  return (
    `UDP port ${port} of ${interfaceName(index)} is taken by another program: end it or choose another --listen-port; ` +
    `the peers need UDP ${base}-${base + MAX_INTERFACES - 1} open to this host`
  );
}

/** tryBind gives the code of the error, or null if the port could be had; it is free again then. */
function tryBind(type: "udp4" | "udp6", port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = createSocket({ type, ipv6Only: type === "udp6" });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.close();
      resolve(error.code ?? "");
    });
    socket.bind({ port, exclusive: true }, () => socket.close(() => resolve(null)));
  });
}
