import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { Counters, counterMemory, sumCounters } from "./counters.ts";
import { headless, ip, pods, virtual } from "./example-services.ts";
import { Networks } from "./networks.ts";
import { DEFAULT_TCP_LIMITS, type TcpLimits } from "./tcp-limits.ts";
import { TcpServer } from "./tcp-server.ts";
import { message, octets16, type Testbed, testbed } from "./testbed.ts";
import { concat } from "./wire-name.ts";

const Z = "clusterset.local";
const WEB = `web.shop.svc.${Z}`;
const bed = testbed([virtual(), headless(pods(3000))]);

interface Running extends AsyncDisposable {
  readonly port: number;
  readonly memory: SharedArrayBuffer;
  readonly server: TcpServer;
}

/** serve runs a TCP server over a testbed, with short deadlines where the test names them. */
async function serve(limits: Partial<TcpLimits> = {}, of: Testbed = bed): Promise<Running> {
  const memory = counterMemory(1);
  const answer = (query: Uint8Array): Buffer | undefined => {
    const reply = of.raw(query, true);
    return reply.length === 0 ? undefined : Buffer.from(concat(octets16(reply.length), reply));
  };
  const server = new TcpServer({
    open: Promise.resolve(),
    answer,
    limits: { ...DEFAULT_TCP_LIMITS, ...limits },
    forwarders: new Networks([]),
    counters: new Counters(memory, 0),
    now: () => performance.now(),
  });
  const port = await server.listen(0, { host: ip("127.0.0.1"), port: 0 });
  if (!port.ok) throw new Error(port.error);
  return { port: port.value.port, memory, server, [Symbol.asyncDispose]: () => server.close(50) };
}

/** Client collects whole replies, in order. */
class Client {
  readonly socket: Socket;
  readonly replies: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #wakes: (() => void)[] = [];
  ended = false;

  constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true, ...options });
    this.socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.socket.on("error", () => {});
    for (const event of ["end", "close"]) {
      this.socket.on(event, () => {
        this.ended = true;
        this.#wake();
      });
    }
  }

  #receive(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 2 && this.#rest.length >= 2 + this.#rest.readUInt16BE(0)) {
      const end = 2 + this.#rest.readUInt16BE(0);
      this.replies.push(this.#rest.subarray(2, end));
      this.#rest = this.#rest.subarray(end);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** until waits for a number of replies, or for the end. */
  async until(replies: number): Promise<void> {
    while (this.replies.length < replies && !this.ended) await new Promise<void>((wake) => this.#wakes.push(wake));
  }

  async untilEnded(): Promise<void> {
    while (!this.ended) await new Promise<void>((wake) => this.#wakes.push(wake));
  }
}

function framed(query: Uint8Array): Uint8Array {
  return concat(octets16(query.length), query);
}

function ids(client: Client): readonly number[] {
  return client.replies.map((reply) => reply.readUInt16BE(0));
}

describe("DNS over TCP (RFC 7766)", () => {
  test("[5.4-T1] octet by octet, and length and message in two writes", async () => {
    await using running = await serve();
    const client = new Client(running.port);
    const query = framed(message(WEB, "A", { id: 1 }));
    for (const octet of query) {
      await new Promise((resolve) => client.socket.write(Uint8Array.of(octet), resolve));
    }
    await client.until(1);
    client.socket.write(query.subarray(0, 2));
    await new Promise((resolve) => setImmediate(resolve));
    client.socket.write(query.subarray(2));
    await client.until(2);
    expect(client.replies.map((reply) => reply.readUInt16BE(6))).toEqual([1, 1]);
    client.socket.destroy();
  });

  test("[5.4-T2] 300 queries in one segment get 300 replies, each its own", async () => {
    await using running = await serve();
    const client = new Client(running.port);
    const queries = Array.from({ length: 300 }, (_, id) => framed(message(`s${id}.${Z}`, "A", { id })));
    client.socket.write(concat(...queries));
    await client.until(300);
    expect(ids(client).toSorted((a, b) => a - b)).toEqual(Array.from({ length: 300 }, (_, id) => id));
    client.socket.destroy();
  });

  test.each([0, 1, 11])("[5.4-T3] a length of %i closes the connection, after earlier replies", async (length) => {
    await using running = await serve();
    const client = new Client(running.port);
    client.socket.write(concat(framed(message(WEB, "A", { id: 9 })), octets16(length), new Uint8Array(length)));
    await client.untilEnded();
    expect(ids(client)).toEqual([9]);
  });

  test("[5.4-T3] a length of 65,535 and silence ends at the deadline", async () => {
    await using running = await serve({ messageMs: 300 });
    const client = new Client(running.port);
    client.socket.write(concat(octets16(65_535), new Uint8Array(100)));
    await client.untilEnded();
    expect(client.replies).toEqual([]);
  });

  test("[5.4-T3] a query of 65,535 octets is answered", async () => {
    await using running = await serve();
    const client = new Client(running.port);
    const padding = 65_535 - message(WEB, "A", { edns: {} }).length - 4;
    const options = concat(octets16(12, padding), new Uint8Array(padding));
    client.socket.write(framed(message(WEB, "A", { id: 3, edns: { options } })));
    await client.until(1);
    expect(client.replies[0]?.readUInt16BE(6)).toBe(1);
    client.socket.destroy();
  });

  test("[5.4-T4] a malformed query gets FORMERR, and the next one its answer", async () => {
    await using running = await serve();
    const client = new Client(running.port);
    const bad = message(WEB, "A", { id: 1, counts: [2, 0, 0, 0] });
    client.socket.write(concat(framed(bad), framed(message(WEB, "A", { id: 2 }))));
    await client.until(2);
    expect(client.replies.map((reply) => (reply[3] ?? 0) & 15)).toEqual([1, 0]);
    client.socket.destroy();
  });

  test("a response sent to us gets no reply, and the connection stays", async () => {
    await using running = await serve();
    const client = new Client(running.port);
    const response = message(WEB, "A", { id: 1, flags: 0x8000 });
    client.socket.write(concat(framed(response), framed(message(WEB, "A", { id: 2 }))));
    await client.until(1);
    expect(ids(client)).toEqual([2]);
    client.socket.destroy();
  });

  test("[5.4-T5] a half-closed client gets its replies, then the end", async () => {
    await using running = await serve();
    const client = new Client(running.port, { allowHalfOpen: true });
    const queries = Array.from({ length: 200 }, (_, id) => framed(message(`db.shop.svc.${Z}`, "A", { id })));
    client.socket.end(concat(...queries.slice(0, 20)));
    await client.untilEnded();
    expect(client.replies).toHaveLength(20);
    client.socket.destroy();
  });

  test("[5.4-T6] one source has so many connections, and the one useful longest ago goes", async () => {
    await using running = await serve({ perSource: 3 });
    const clients = [0, 1, 2].map(() => new Client(running.port));
    for (const client of clients) await once(client.socket, "connect");
    clients[0]?.socket.write(framed(message(WEB, "A")));
    await clients[0]?.until(1);
    const late = new Client(running.port);
    late.socket.write(framed(message(WEB, "A")));
    await late.until(1);
    await clients[1]?.untilEnded();
    expect(clients.map(({ ended }) => ended)).toEqual([false, true, false]);
    expect(sumCounters(running.memory).tcp).toEqual({ open: 3, accepted: 4, refused: 1 });
    for (const client of [...clients, late]) client.socket.destroy();
  });

  test("[5.4-T6] 1000 idle connections leave room for a query", async () => {
    await using running = await serve({ total: 100, perSource: 1000 });
    const idle = Array.from({ length: 1000 }, () => new Client(running.port));
    await Promise.all(idle.map((client) => once(client.socket, "connect")));
    const client = new Client(running.port);
    client.socket.write(framed(message(WEB, "A")));
    await client.until(1);
    expect(client.replies).toHaveLength(1);
    for (const one of [...idle, client]) one.socket.destroy();
  });

  test("[5.4-T6] no first query in time closes; so does a query that drips", async () => {
    await using running = await serve({ messageMs: 300, idleMs: 60_000 });
    const silent = new Client(running.port);
    const dripping = new Client(running.port);
    const query = framed(message(WEB, "A"));
    dripping.socket.write(concat(query, query.subarray(0, 5)));
    const drip = setInterval(() => dripping.socket.write(query.subarray(5, 6)), 100);
    await Promise.all([silent.untilEnded(), dripping.untilEnded()]);
    clearInterval(drip);
    expect(dripping.replies).toHaveLength(1);
  });

  test("[5.4-T7] a client that never reads is cut, and what waits for it is bounded", async () => {
    await using running = await serve({ writeMs: 400, backlogBytes: 64 << 10 });
    const before = process.memoryUsage().arrayBuffers;
    const client = connect({ port: running.port, host: "127.0.0.1" });
    client.on("error", () => {});
    const query = framed(message(`db.shop.svc.${Z}`, "A"));
    client.pause();
    // 2,000 replies of 48 KiB are 96 MiB.
    client.write(concat(...Array.from({ length: 2000 }, () => query)));
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }, 20);
    while (sumCounters(running.memory).tcp.open > 0 || most === 0)
      await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(watch);
    expect(most).toBeLessThan(32 << 20);
    client.destroy();
  });

  test("[5.4-T8] connections that are reset or closed at once leave nothing behind", async () => {
    await using running = await serve();
    const query = framed(message(`db.shop.svc.${Z}`, "A"));
    for (let round = 0; round < 5; round++) {
      const clients = Array.from({ length: 40 }, () => connect({ port: running.port, host: "127.0.0.1" }));
      for (const [i, client] of clients.entries()) {
        client.on("error", () => {});
        await once(client, "connect");
        client.write(concat(query, query, query));
        if (i % 2 === 0) client.resetAndDestroy();
        else client.destroy();
      }
    }
    const client = new Client(running.port);
    client.socket.write(query);
    await client.until(1);
    client.socket.destroy();
    while (sumCounters(running.memory).tcp.open > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(sumCounters(running.memory).tcp.accepted).toBe(201);
  });

  test("[5.4-T9] an idle connection stays for its time, then ends with FIN", async () => {
    await using running = await serve({ idleMs: 700, messageMs: 100 });
    const client = new Client(running.port);
    const errors: unknown[] = [];
    client.socket.on("error", (fault) => errors.push(fault));
    client.socket.write(framed(message(WEB, "A")));
    await client.until(1);
    const since = performance.now();
    await client.untilEnded();
    expect(performance.now() - since).toBeGreaterThan(600);
    expect(errors).toEqual([]);
  });

  test("the defaults keep connections longer than CoreDNS's pool does", () => {
    expect(DEFAULT_TCP_LIMITS.idleMs).toBe(30_000);
    expect(DEFAULT_TCP_LIMITS.messageMs).toBeGreaterThanOrEqual(3000);
  });
});
