import { createServer, type Server, type Socket } from "node:net";
import type { Ip } from "#values";
import { ASK_BYTES, decodeAsk, encodeTally, IDLE_MS, MAX_TEST_MS, VERDICT } from "./throughput.ts";

/** Peers are few; more at once is somebody's fault. */
const MAX_CONNECTIONS = 8;
/** A test may take this much longer than asked for, while its last octets are on their way. */
const GRACE_MS = 3000;

export interface ThroughputServerOptions {
  readonly now: () => number;
  /** Whether an address belongs to a peer; anybody else is closed at once. */
  readonly isPeer: (address: string) => boolean;
}

/** createThroughputServer makes the counting side, not yet listening: one test at a time, bounded in time. */
export function createThroughputServer({ now, isPeer }: ThroughputServerOptions): Server {
  let running: Socket | null = null;
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    if (!isPeer(plainAddress(socket.remoteAddress))) return void socket.resetAndDestroy();
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    readAsk(socket, (durationMs) => {
      if (running !== null) return void socket.end(Uint8Array.of(VERDICT.busy));
      running = socket;
      socket.once("close", () => {
        running = null;
      });
      socket.write(Uint8Array.of(VERDICT.accepted));
      count(socket, durationMs, now);
    });
  });
  server.maxConnections = MAX_CONNECTIONS;
  return server;
}

/** readAsk waits for the twelve octets of the ask; anything else is cut. */
function readAsk(socket: Socket, then: (durationMs: number) => void): void {
  let seen = Buffer.alloc(0);
  const onData = (chunk: Buffer): void => {
    seen = Buffer.concat([seen, chunk]);
    if (seen.length < ASK_BYTES) return;
    socket.off("data", onData);
    const ask = decodeAsk(seen); // an honest client waits for the verdict before it sends more
    if (ask.ok) then(ask.value);
    else socket.destroy();
  };
  socket.on("data", onData);
  socket.once("end", () => socket.end());
}

/** count adds up what arrives until FIN, then tells. Time runs from the first octet to the last. */
function count(socket: Socket, durationMs: number, now: () => number): void {
  let bytes = 0;
  let first = 0;
  let last = 0;
  const cut = setTimeout(() => socket.destroy(), Math.min(durationMs, MAX_TEST_MS) + GRACE_MS);
  socket.once("close", () => clearTimeout(cut));
  socket.on("data", (chunk: Buffer) => {
    last = now();
    if (bytes === 0) first = last;
    bytes += chunk.length;
  });
  socket.removeAllListeners("end");
  socket.once("end", () => socket.end(encodeTally({ bytes, micros: (last - first) * 1000 })));
}

/** plainAddress undoes the IPv4-in-IPv6 form that a dual-stack socket shows. */
function plainAddress(address = ""): Ip {
  return (address.startsWith("::ffff:") ? address.slice(7) : address) as Ip;
}
