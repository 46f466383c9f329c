import type { IncomingMessage, Server } from "node:http";
import type { TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { aborted, type Log, type Room } from "#life";
import type { Result } from "#values";
import { Doorstep } from "./doorstep.ts";
import { Gate } from "./gate.ts";
import { Greeting, type Guest, type Session } from "./greeting.ts";
import { Heartbeat } from "./heartbeat.ts";
import { SOCKET_LIMITS, SYNC_PATH, TIMING, type Timing } from "./limits.ts";
import { type Hold, type Refused, SocketLink } from "./link.ts";

export interface SyncServerOptions {
  /** HTTPS server that speaks TLS 1.3 only; it may serve other paths too. */
  readonly server: Server;
  readonly version: string;
  readonly log: Log;
  readonly timing?: Timing;
  /** admit decides on a login; what it sends before it returns comes first on the wire. */
  admit(guest: Guest): Result<Session, Refused>;
  /** hold calls back when what was decided up to now may be told: each frame waits for that. Without one, at once. */
  readonly hold?: Hold;
}

/** createSyncServer takes sessions on an HTTPS server's upgrade, until its signal aborts. */
export function createSyncServer(options: SyncServerOptions): Room & { readonly connections: () => number } {
  const house = new House(options);
  return {
    name: "sync-server",
    connections: () => house.sockets.clients.size,
    async run(signal) {
      const onUpgrade = (request: IncomingMessage, socket: TLSSocket, head: Buffer): void =>
        house.knock(request, socket, head);
      options.server.on("upgrade", onUpgrade);
      const beats = setInterval(() => house.beat(), (options.timing ?? TIMING).pingMs);
      await aborted(signal);
      options.server.off("upgrade", onUpgrade);
      await house.close();
      clearInterval(beats);
    },
  };
}

/** House is the sessions of one server. */
class House {
  readonly sockets = new WebSocketServer({ noServer: true, ...SOCKET_LIMITS });
  readonly #options: SyncServerOptions;
  readonly #timing: Timing;
  readonly #doorstep = new Doorstep();
  readonly #gate = new Gate();
  readonly #hearts = new Map<WebSocket, Heartbeat>();

  constructor(options: SyncServerOptions) {
    this.#options = options;
    this.#timing = options.timing ?? TIMING;
  }

  /** knock takes an upgrade request; strangers beyond the bounds and other paths see nothing. */
  knock(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const leave = request.url === SYNC_PATH ? this.#doorstep.enter(socket) : undefined;
    if (leave === undefined) {
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", () => socket.destroy());
      return;
    }
    this.sockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws, socket, leave));
  }

  /** beat cuts off who gave no sign of life. */
  beat(): void {
    for (const [ws, heart] of this.#hearts) if (!heart.beat()) ws.terminate();
  }

  /** close ends every session, and returns when all are gone. */
  async close(): Promise<void> {
    const open = [...this.sockets.clients];
    const gone = open.map((ws) => new Promise<void>((resolve) => ws.once("close", () => resolve())));
    for (const ws of open) ws.close(1001, "the broker stops");
    const late = setTimeout(() => {
      for (const ws of open) ws.terminate();
    }, this.#timing.graceMs / 2);
    await Promise.all(gone);
    clearTimeout(late);
    this.sockets.close();
  }

  #greet(ws: WebSocket, socket: TLSSocket, leave: () => void): void {
    const { log, version, admit, hold = (leave: () => void) => leave() } = this.#options;
    const heart = new Heartbeat(ws, () => socket);
    const link = new SocketLink(ws, socket, heart, this.#timing, hold);
    const late = setTimeout(() => link.cut("no login in time"), this.#timing.handshakeMs);
    const welcomed = (): void => {
      clearTimeout(late);
      leave();
    };
    const greeting = new Greeting(link, socket, { version, log, admit, gate: this.#gate, welcomed });
    this.#hearts.set(ws, heart);
    ws.on("error", (error) => log.debug("session error", { remote: link.remote, error: error.message }));
    ws.on("message", (data, binary) => greeting.frame(binary ? null : String(data)));
    ws.on("close", () => {
      clearTimeout(late);
      this.#hearts.delete(ws);
      greeting.ended();
    });
  }
}
