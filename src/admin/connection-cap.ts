import type { Server } from "node:http";
import type { Socket } from "node:net";

interface Held {
  readonly socket: Socket;
  /** Requests under way on it. */
  busy: number;
}

/** capConnections keeps a server at a number of connections. When one more comes, the oldest that is not being answered
 *  goes: strangers who open connections and say nothing push out each other, and whoever asks at once is served
 *  (CVE-2020-7219). If all are being answered, the new one goes. */
export function capConnections(server: Server, most: number): void {
  const held = new Map<string, Held>(); // in the order in which they came
  server.on("connection", (socket: Socket) => {
    const key = keyOf(socket);
    if (key === null) return;
    socket.once("close", () => held.delete(key));
    if (held.size >= most) {
      const idle = held.entries().find(([, { busy }]) => busy === 0);
      if (idle === undefined) return void socket.destroy();
      held.delete(idle[0]);
      idle[1].socket.destroy();
    }
    held.set(key, { socket, busy: 0 });
  });
  server.on("request", (request, response) => {
    const of = held.get(keyOf(request.socket) ?? "");
    if (of === undefined) return;
    of.busy += 1;
    response.once("close", () => {
      of.busy -= 1;
    });
  });
}

/** keyOf is the other end, which is the same for a TLS stream and the TCP stream below it; null for a socket in the
 *  file system, which only its owner can open. */
function keyOf({ remoteAddress, remotePort }: Socket): string | null {
  return remotePort === undefined ? null : `${remoteAddress} ${remotePort}`;
}
