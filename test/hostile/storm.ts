import { hash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { connect } from "node:tls";
import { BROKER_NAME, createBrokerCa, createServerKey, issueServerCertificate } from "#identity";
import { SYNC_PATH } from "#sync";
import { millis } from "#values";
import { badFrames } from "./bad-frames.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; // RFC 6455, 1.3
const UPGRADE = [
  `GET ${SYNC_PATH} HTTP/1.1`,
  ...["Host: broker", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"],
  `Sec-WebSocket-Key: ${Buffer.alloc(16, 7).toString("base64")}`,
  "\r\n",
].join("\r\n");
/** Connections at a time: below what a broker takes of one address. */
const PARALLEL = 24;

/** stormBroker sends bad frames to a broker, each on a connection of its own, since each ends one. */
export async function stormBroker({ port, ca }: { port: number; ca: string }, count: number): Promise<void> {
  const kinds = badFrames(true);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const { octets, cut = false } = kinds[next++ % kinds.length] as (typeof kinds)[number];
      const socket = connect({ port, host: "127.0.0.1", ca, servername: BROKER_NAME });
      socket.on("error", () => {});
      const closed = once(socket, "close");
      socket.write(UPGRADE);
      if (cut) socket.end(octets);
      else socket.write(octets);
      // An answer is read to its end: the broker closes by itself, or answers our end.
      socket.on("data", (data) => {
        if (data.includes("HTTP/1.1 101") && data.length < 200) return;
        socket.destroy();
      });
      await closed;
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

/** StormServer sends a bad frame to every client that comes, and counts them. */
export class StormServer implements AsyncDisposable {
  readonly ca: string;
  sent = 0;
  readonly #server: Server;
  readonly #wakes = new Map<number, () => void>();

  constructor() {
    const ca = createBrokerCa(millis(Date.now()));
    const serverKey = createServerKey();
    const cert = issueServerCertificate(ca, { hosts: ["127.0.0.1"], serverKey, now: millis(Date.now()) });
    const kinds = badFrames(false);
    this.ca = ca.pem;
    this.#server = createServer({ key: serverKey.export({ format: "pem", type: "pkcs8" }), cert: cert + ca.pem });
    this.#server.on("upgrade", (request, socket) => {
      const { octets, cut = false } = kinds[this.sent % kinds.length] as (typeof kinds)[number];
      this.sent += 1;
      const accept = hash("sha1", `${request.headers["sec-websocket-key"]}${GUID}`, "base64");
      const answer = `HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
      socket.on("error", () => {});
      socket.write(Buffer.concat([Buffer.from(answer), octets]));
      if (cut) socket.end();
      // The client's close frame, or its end, ends it here too: a storm leaves no socket behind.
      socket.on("data", (data) => ((data[0] ?? 0) === 0x88 ? socket.destroy() : undefined));
      socket.on("end", () => socket.destroy());
      this.#wakes.get(this.sent)?.();
    });
  }

  async open(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `wss://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** reached resolves when so many were sent. */
  reached(count: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.sent >= count) resolve();
      else this.#wakes.set(count, resolve);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** rssOf is the resident memory of a process in MiB (proc(5), VmRSS). */
export async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
