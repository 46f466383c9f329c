import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import type { TLSSocket } from "node:tls";
import { type WebSocket, WebSocketServer } from "ws";
import { channelBinding } from "#identity";
import { aborted, type Clock, type Log, type Room } from "#life";
import { type Ip, parseIp, type Result } from "#values";
import { decodeFromGateway, encode, FEATURES, type FromBroker, type FromGateway, type Login, negotiate } from "#wire";
import { HANDSHAKE_MS, MAX_ANONYMOUS, MAX_ANONYMOUS_PER_ADDRESS, PING_MS, SOCKET_LIMITS, SYNC_PATH } from "./limits.ts";
import type { Sink } from "./outbox.ts";

export interface Refused {
  readonly code: string;
  readonly message: string;
  /** Whether the same login may succeed later. */
  readonly retry: boolean;
}

/** Link is one connected gateway, as its owner sees it. */
export interface Link extends Sink {
  readonly remote: Ip;
  readonly features: readonly string[];
  readonly version: string;
  tell(message: Exclude<FromBroker, { t: "batch" }>): void;
  refuse(refused: Refused): void;
}

/** Guest is what a gateway presents before it is let in: `binding` is what its proof must be bound to. */
export interface Guest {
  readonly login: Login;
  readonly binding: { readonly exporter: Uint8Array; readonly nonce: Uint8Array };
  readonly link: Link;
}

/** Session hears of one gateway from its welcome until its end. */
export interface Session {
  message(message: FromGateway): void;
  gone(): void;
}

export interface SyncServerOptions {
  /** HTTPS server that speaks TLS 1.3 only; it may serve other paths too. */
  readonly server: Server;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
  /** admit decides on a login; what it sends before it returns comes first on the wire. */
  admit(guest: Guest): Result<Session, Refused>;
}

/** createSyncServer takes sessions on an HTTPS server's upgrade, until its signal aborts. */
export function createSyncServer(options: SyncServerOptions): Room & { readonly connections: () => number } {
  const sockets = new WebSocketServer({ noServer: true, ...SOCKET_LIMITS });
  const anonymous = new Map<string, number>();
  return {
    name: "sync-server",
    connections: () => sockets.clients.size,
    async run(signal) {
      const onUpgrade = (request: IncomingMessage, socket: TLSSocket, head: Buffer): void => {
        socket.on("error", () => socket.destroy());
        if (request.url !== SYNC_PATH || !enter(anonymous, socket))
          return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
        sockets.handleUpgrade(request, socket, head, (ws) => greet(ws, socket, options));
      };
      options.server.on("upgrade", onUpgrade);
      const pings = setInterval(() => pingAll(sockets), PING_MS);
      await aborted(signal);
      clearInterval(pings);
      options.server.off("upgrade", onUpgrade);
      for (const ws of sockets.clients) ws.close(1001, "the broker stops");
      sockets.close();
      setTimeout(() => [...sockets.clients].map((ws) => ws.terminate()), 500).unref();
    },
  };
}

/** enter counts connections that are not logged in, so that idle strangers cannot use up memory. */
function enter(anonymous: Map<string, number>, socket: TLSSocket): boolean {
  const address = socket.remoteAddress ?? "";
  const mine = anonymous.get(address) ?? 0;
  const all = [...anonymous.values()].reduce((sum, n) => sum + n, 0);
  if (mine >= MAX_ANONYMOUS_PER_ADDRESS || all >= MAX_ANONYMOUS) return false;
  anonymous.set(address, mine + 1);
  let left = false;
  const leave = (): void => {
    if (left) return;
    left = true;
    const rest = (anonymous.get(address) ?? 1) - 1;
    if (rest === 0) anonymous.delete(address);
    else anonymous.set(address, rest);
  };
  socket.once("close", leave);
  socket.once("meridian-welcome", leave);
  return true;
}

const alive = new WeakSet<WebSocket>();

function pingAll(sockets: WebSocketServer): void {
  for (const ws of sockets.clients) {
    if (!alive.has(ws)) ws.terminate();
    alive.delete(ws);
    ws.ping();
  }
}

/** greet leads one socket through hello, challenge and login. */
function greet(ws: WebSocket, socket: TLSSocket, options: SyncServerOptions): void {
  const link = linkOf(ws, socket);
  const nonce = randomBytes(24);
  const timer = setTimeout(() => link.cut("no login in time"), HANDSHAKE_MS);
  let stage: "hello" | "login" | Session = "hello";
  let features: readonly string[] = [];
  let version = "";
  alive.add(ws);
  ws.on("pong", () => alive.add(ws));
  ws.on("error", (error) => options.log.debug("session error", { remote: link.remote, error: error.message }));
  ws.on("close", () => {
    clearTimeout(timer);
    if (typeof stage === "object") stage.gone();
  });
  ws.on("message", (data, binary) => {
    alive.add(ws);
    const message = binary ? undefined : decodeFromGateway(String(data));
    if (message?.ok !== true)
      return link.refuse({ code: "bad-message", message: message?.error ?? "binary frame", retry: false });
    if (typeof stage === "object") return stage.message(message.value);
    const said = message.value;
    if (stage === "hello" && said.t === "hello") {
      const protocol = negotiate(said.protocols);
      if (protocol === undefined) return link.refuse(wrongVersion(said.protocols));
      features = said.features.filter((feature) => FEATURES.includes(feature));
      version = said.version;
      link.tell({
        t: "challenge",
        protocol,
        features: [...FEATURES],
        nonce: nonce.toString("base64url"),
        version: options.version,
      });
      stage = "login";
    } else if (stage === "login" && said.t === "login") {
      clearTimeout(timer);
      const binding = { exporter: channelBinding(socket), nonce };
      const admitted = options.admit({
        login: said,
        binding,
        link: { ...link, features, version },
      });
      if (!admitted.ok) return link.refuse(admitted.error);
      socket.emit("meridian-welcome");
      stage = admitted.value;
    } else link.refuse({ code: "bad-order", message: `${said.t} is not expected now`, retry: false });
  });
}

function wrongVersion([oldest, newest]: readonly [number, number]): Refused {
  return {
    code: "protocol",
    message: `this broker does not speak protocol ${oldest} to ${newest}: upgrade the older of the two`,
    retry: false,
  };
}

function linkOf(ws: WebSocket, socket: TLSSocket): Link {
  const address = (socket.remoteAddress ?? "").replace(/^::ffff:(?=\d+\.)/, "");
  const parsed = parseIp(address);
  const tell = (message: Exclude<FromBroker, { t: "batch" }>): void => ws.send(encode(message));
  return {
    remote: parsed.ok ? parsed.value : ("0.0.0.0" as Ip),
    features: [],
    version: "",
    buffered: () => ws.bufferedAmount,
    send: (frame, done) => ws.send(frame, () => done()),
    cut: (reason) => {
      ws.close(1008, reason.slice(0, 120));
      setTimeout(() => ws.terminate(), 1000).unref();
    },
    tell,
    refuse: (refused) => {
      tell({ t: "refused", ...refused, message: refused.message.slice(0, 2000) });
      ws.close(1008, refused.code);
    },
  };
}
