import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { err, type HostPort, ok, type Result } from "#values";
import { Asker, addressOf } from "./asker.ts";
import type { Counters } from "./counters.ts";
import type { Networks } from "./networks.ts";
import type { ListenerAnswer } from "./tcp-answer.ts";
import { TcpConnection } from "./tcp-connection.ts";
import type { TcpLimits } from "./tcp-limits.ts";

export interface TcpServerOptions {
  readonly answer: ListenerAnswer;
  readonly limits: TcpLimits;
  /** Who may have as many connections as there are. */
  readonly forwarders: Networks;
  readonly counters: Counters;
  /** Resolves when clients may be answered; those that come sooner wait. */
  readonly open: Promise<unknown>;
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
}

/** How often deadlines are looked at. */
const SWEEP_MS = 250;

/** TcpServer serves DNS over TCP on any number of addresses, with common limits. */
export class TcpServer {
  readonly #o: TcpServerOptions;
  readonly #servers = new Map<number, Server>();
  /** Every connection until it is closed, with those of its source; and those that count, the one useful longest ago
   *  first. */
  readonly #all = new Map<TcpConnection, Set<TcpConnection>>();
  readonly #open = new Set<TcpConnection>();
  readonly #bySource = new Map<string, Set<TcpConnection>>();
  readonly #asker = new Asker();
  #sweep: NodeJS.Timeout | undefined;
  #isOpen = false;

  constructor(options: TcpServerOptions) {
    this.#o = options;
    void options.open.then(() => {
      this.#isOpen = true;
    });
  }

  /** listen opens a listener under a number of the caller's, or takes over one of this process by its descriptor. It
   *  gives port and descriptor (-1 where the system has none), or an error code. */
  async listen(id: number, { host, port }: HostPort, fd?: number): Promise<Result<{ port: number; fd: number }>> {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: false }, (socket) => this.#welcome(socket, id));
    try {
      if (fd === undefined) server.listen({ host, port, ipv6Only: true, exclusive: true, backlog: 1024 });
      else server.listen({ fd });
      await once(server, "listening");
    } catch (reason) {
      return err(reason instanceof Error && "code" in reason ? String(reason.code) : String(reason));
    }
    server.on("error", () => this.#o.counters.add("tcpRefused")); // out of descriptors: later ones may be taken
    this.#servers.set(id, server);
    this.#sweep ??= setInterval(() => this.#checkAll(), SWEEP_MS);
    const address = server.address();
    const real = typeof address === "object" && address !== null ? address.port : port;
    return ok({ port: real, fd: descriptorOf(server) });
  }

  /** unlisten closes one listener; its connections stay. */
  unlisten(id: number): void {
    this.#servers.get(id)?.close();
    this.#servers.delete(id);
  }

  /** close ends all. Clients that do not take their replies within the grace are cut. */
  async close(graceMs = 500): Promise<void> {
    const closed = [...this.#servers.values()].map((server) => once(server, "close"));
    for (const id of [...this.#servers.keys()]) this.unlisten(id);
    for (const connection of this.#all.keys()) connection.close();
    const grace = setTimeout(() => {
      for (const connection of this.#all.keys()) connection.cut();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(grace);
    clearInterval(this.#sweep);
  }

  /** welcome accepts a client when there is something to tell it. What it says meanwhile stays in the kernel. */
  #welcome(socket: Socket, listener: number): void {
    if (this.#isOpen) return this.#accept(socket, listener);
    socket.on("error", () => {}); // a reset before its turn
    void this.#o.open.then(() => (socket.destroyed ? undefined : this.#accept(socket, listener)));
  }

  /** accept takes every connection, and closes another one where there are then too many. */
  #accept(socket: Socket, listener: number): void {
    const { answer, limits, now, counters } = this.#o;
    const source = addressOf(socket.remoteAddress ?? "");
    const key = sourceKey(source);
    const ofSource = this.#bySource.get(key) ?? new Set();
    this.#bySource.set(key, ofSource);
    const client = { listener, port: socket.remotePort ?? 0 };
    const connection = new TcpConnection(socket, {
      answer: (message, from) => answer(message, from, client),
      source,
      limits,
      now,
      onQuery: () => this.#touch(connection, ofSource),
    });
    this.#all.set(connection, ofSource);
    this.#touch(connection, ofSource);
    counters.add("tcpAccepted");
    if (ofSource.size > limits.perSource && !this.#isForwarder(source)) this.#evict(ofSource);
    if (this.#open.size > limits.total) this.#evict(this.#open);
    counters.set("tcpOpen", this.#open.size);
    socket.once("close", () => {
      this.#all.delete(connection);
      this.#open.delete(connection);
      ofSource.delete(connection);
      if (ofSource.size === 0 && this.#bySource.get(key) === ofSource) this.#bySource.delete(key);
      counters.set("tcpOpen", this.#open.size);
    });
  }

  #isForwarder(source: Uint8Array): boolean {
    this.#asker.set(source, 0, source.length);
    return this.#o.forwarders.has(this.#asker);
  }

  /** touch makes a connection the last to be closed for others; a Set keeps the order of insertion. */
  #touch(connection: TcpConnection, ofSource: Set<TcpConnection>): void {
    for (const set of [this.#open, ofSource]) {
      set.delete(connection);
      set.add(connection);
    }
  }

  /** evict closes the first of a set. It no longer counts, though it may live until its replies have left: unless there
   *  are as many such as are allowed in all. */
  #evict(among: Set<TcpConnection>): void {
    const [oldest] = among;
    if (oldest === undefined) return;
    this.#open.delete(oldest);
    this.#all.get(oldest)?.delete(oldest);
    this.#o.counters.add("tcpRefused");
    if (this.#all.size > 2 * this.#o.limits.total) oldest.cut();
    else oldest.close();
  }

  /** One timer for all deadlines: a timer per connection and query would cost more than the queries. */
  #checkAll(): void {
    const now = this.#o.now();
    for (const connection of this.#all.keys()) connection.check(now);
  }
}

/** descriptorOf is the number of a listening socket, which Node keeps to itself. */
function descriptorOf(server: Server): number {
  const handle: unknown = Reflect.get(server, "_handle");
  const fd: unknown = typeof handle === "object" && handle !== null ? Reflect.get(handle, "fd") : undefined;
  return typeof fd === "number" ? fd : -1;
}

/** sourceKey is what counts as one source: an IPv4 address; of IPv6 a /64, since any host has a whole one. */
function sourceKey(source: Uint8Array): string {
  return source.subarray(0, source.length === 16 ? 8 : 4).toHex();
}
