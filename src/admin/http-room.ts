import { rm } from "node:fs/promises";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { aborted, type Clock, createHttpServer, type Log, type Room } from "#life";
import type { HostPort, Ip } from "#values";
import { capConnections } from "./connection-cap.ts";
import type { HostGuard } from "./host-guard.ts";
import { listen, type Place } from "./listen.ts";
import { problemOf, Refused, sendProblem } from "./problem.ts";

export interface HttpRoomOptions {
  readonly name: string;
  readonly listen: Place;
  readonly tls: { readonly key: string; readonly cert: string } | null;
  readonly guard: Pick<HostGuard, "check">;
  /** Answers one request. What it throws becomes an answer: Refused as it says, anything else as 500. `signal` aborts
   *  when the room stops or the asker goes away. */
  readonly respond: (request: IncomingMessage, response: ServerResponse, signal: AbortSignal) => Promise<void>;
  /** Hears of requests that were refused, before the answer is sent. */
  readonly refused?: (refused: Refused, request: IncomingMessage) => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface HttpRoom extends Room {
  /** Resolves when the port is open; stays open-ended when it could not be had: run throws then. */
  readonly started: Promise<void>;
  /** The address with the port that the kernel gave. Throws before `started`, and for a path. */
  readonly bound: () => HostPort;
}

/** What strangers may cost: a connection that has not sent its headers, or not the whole of its request, is gone
 *  after ten seconds, the interval of the check included. */
const LIMITS = {
  headersTimeout: 9500,
  requestTimeout: 9500,
  keepAliveTimeout: 9500,
  connectionsCheckingInterval: 500,
  maxHeaderSize: 16 << 10,
  insecureHTTPParser: false,
  requireHostHeader: true,
} as const;
const MAX_CONNECTIONS = 512;
/** Requests under way have so long to end when the room stops. */
const GRACE_MS = 3000;

/** createHttpRoom is an HTTP/1.1 server with limits, for as long as its room runs. */
export function createHttpRoom(options: HttpRoomOptions): HttpRoom {
  const started = Promise.withResolvers<void>();
  let bound: HostPort | null = null;
  return {
    name: options.name,
    started: started.promise,
    bound: () => {
      if (bound === null) throw new Error(`${options.name} is not listening on an address`);
      return bound;
    },
    async run(signal) {
      const busy = new Set<Promise<void>>();
      const server = limited(options, (request, response) => {
        const task = exchange(options, request, response, signal).finally(() => busy.delete(task));
        busy.add(task);
      });
      const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
      await listen(server, options.listen);
      server.on("error", (error) => options.log.warn("a connection could not be taken", { reason: error.message }));
      bound = addressOf(server);
      started.resolve();
      await aborted(signal);
      await stop(server, busy, options.clock);
      await closed;
      if ("path" in options.listen) await rm(options.listen.path, { force: true });
    },
  };
}

/** limited makes a server that does not listen yet. A failed TLS handshake is a stranger's matter: the socket goes, and
 *  no line is logged that strangers could fill a disk with. */
function limited({ tls }: HttpRoomOptions, on: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const server =
    tls === null
      ? createHttpServer(LIMITS, on)
      : createTlsServer({ ...LIMITS, ...tls, minVersion: "TLSv1.3", handshakeTimeout: 9500 }, on);
  capConnections(server, MAX_CONNECTIONS);
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  return server;
}

/** The port that the kernel chose where 0 was asked for; null for a socket in the file system. */
function addressOf(server: Server): HostPort | null {
  const address = server.address() as AddressInfo | string | null;
  return address === null || typeof address === "string" ? null : { host: address.address as Ip, port: address.port };
}

/** exchange answers one request and returns when the answer is sent or cannot be. */
async function exchange(
  { guard, respond, refused, log, name }: HttpRoomOptions,
  request: IncomingMessage,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  response.once("close", () => gone.abort());
  request.on("error", () => {}); // the asker went away: `close` says so too
  try {
    guard.check(request);
    await respond(request, response, AbortSignal.any([signal, gone.signal]));
  } catch (error) {
    if (error instanceof Refused) refused?.(error, request);
    else if (!gone.signal.aborted) log.error("a request failed", { room: name, reason: String(error) });
    const problem = error instanceof Refused ? error.problem : problemOf("internal", "see the log of the daemon");
    sendProblem(response, problem, error instanceof Refused ? error.headers : {});
  }
  if (!response.writableEnded) response.destroy();
  else await closed;
}

/** stop takes no more connections, lets those that are being answered end (a request may itself be what stops the
 *  daemon, and wants its answer), and then cuts what is left. */
async function stop(server: Server, busy: ReadonlySet<Promise<void>>, clock: Clock): Promise<void> {
  server.close();
  server.closeIdleConnections();
  const done = new AbortController();
  const grace = clock.sleep(GRACE_MS, done.signal).catch(() => {});
  await Promise.race([Promise.allSettled([...busy]), grace]);
  done.abort();
  server.closeAllConnections();
}
