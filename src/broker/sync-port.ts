import { createServer, type Server } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { BrokerKeys } from "#identity";
import { aborted, type Log, type Room } from "#life";
import { formatHostPort, type HostPort } from "#values";
import { inTurn } from "./in-turn.ts";

/** SyncPort is the HTTPS server that gateways dial: TLS 1.3 alone, and nothing on it but sessions. */
export interface SyncPort extends Room {
  readonly server: Server;
  /** Resolves with the port when it is open. */
  readonly opened: Promise<number>;
}

/** What strangers may cost (F66): whoever is slow at TLS or at the request is cut after ten seconds. */
const LIMITS = {
  handshakeTimeout: 10_000,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 16 << 10,
} as const;
const MAX_CONNECTIONS = 4096;

/** createSyncPort makes the server; its port is open while the room runs. */
export function createSyncPort({ host, port }: HostPort, keys: BrokerKeys, log: Log): SyncPort {
  const key = keys.serverKey.export({ format: "pem", type: "pkcs8" });
  const server = createServer({ ...LIMITS, key, cert: keys.chainPem, minVersion: "TLSv1.3" });
  const opened = Promise.withResolvers<number>();
  const sockets = new Set<Socket>();
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (_request, response) => response.writeHead(404).end());
  server.on("tlsClientError", (_error, socket) => socket.destroy()); // strangers: no log to fill
  const handshake = shakingHands(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    handshake(socket);
  });
  return {
    name: "sync-port",
    server,
    opened: opened.promise,
    async run(signal) {
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => reject(listenFault(error, { host, port })));
        server.listen({ host, port }, resolve);
      });
      server.on("error", (error) => log.warn("the sync port", { reason: error.message })); // no descriptors left
      opened.resolve((server.address() as AddressInfo).port);
      await aborted(signal);
      await closed(server, sockets);
    },
  };
}

/** A herd of gateways that has lost the broker is at the door in one moment, and each handshake costs about a millisecond
 *  of this thread. They are begun one in a turn, so that sessions and operators are served in between (F14). */
function shakingHands(server: Server): (socket: Socket) => void {
  const begin = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
  server.removeAllListeners("connection");
  const offer = inTurn((socket: Socket) => {
    if (!socket.destroyed) for (const listener of begin) listener.call(server, socket);
  });
  return (socket) => {
    socket.on("error", () => socket.destroy()); // nobody else listens while it waits
    offer(socket);
  };
}

/** Sessions have ended by then or end now: also connections that are still at their TLS handshake. */
async function closed(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, 1000);
  await done;
  clearTimeout(late);
}

/** listenFault says which flag to change when a port cannot be had. */
function listenFault(error: NodeJS.ErrnoException, at: HostPort): Error {
  const why = error.code === "EADDRINUSE" ? "is taken" : error.message;
  return new Error(`--listen ${formatHostPort(at)} ${why}`);
}
