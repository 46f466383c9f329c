import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import WebSocket from "ws";
import {
  BROKER_NAME,
  brokerTls,
  createBrokerCa,
  createIdentityKey,
  createServerKey,
  issueServerCertificate,
  signProof,
} from "#identity";
import { silentLog, systemClock } from "#life";
import { type ClusterId, millis, type NodeName, ok, type Result, type Revision, type Uid } from "#values";
import { type Batch, type Envelope, identityKeyOf, type Login, type Welcome } from "#wire";
import { createSyncClient, type SyncClient, type SyncClientOptions } from "./client.ts";
import type { Guest, Session } from "./greeting.ts";
import { SYNC_PATH, type Timing } from "./limits.ts";
import type { Refused } from "./link.ts";
import { createSyncServer } from "./server.ts";

/** Spans short enough for tests that wait for them to pass. */
export const QUICK: Timing = { handshakeMs: 300, pingMs: 100, graceMs: 100 };
export const STORE = "00000000-0000-4000-8000-000000000001" as Uid;

/** Mailbox keeps what happened, and lets a test wait for what it expects. */
export class Mailbox<T> {
  readonly all: T[] = [];
  #wakes: (() => void)[] = [];

  push(item: T): void {
    this.all.push(item);
    for (const wake of this.#wakes.splice(0)) wake();
  }

  /** first resolves with the first item, of those so far or to come, that fits. */
  async first(fits: (item: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const found = this.all.find(fits);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
      });
    }
  }
}

const ca = createBrokerCa(millis(Date.now()));
const serverKey = createServerKey();
const cert = issueServerCertificate(ca, { hosts: ["127.0.0.1"], serverKey, now: millis(Date.now()) });
export const CA_PEM = ca.pem;

/** httpsServer listens on a free port of the loopback with a certificate of the test's authority. */
export async function httpsServer(): Promise<{ readonly server: Server; readonly url: string; readonly port: number }> {
  const key = serverKey.export({ format: "pem", type: "pkcs8" });
  const server = createServer({ key, cert: cert + ca.pem, minVersion: "TLSv1.3" });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `wss://127.0.0.1:${port}` };
}

/** House is a sync server whose owner lets everybody in and notes what it hears. */
export interface House extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly guests: Mailbox<Guest>;
  readonly heard: Mailbox<unknown>;
  readonly gone: Mailbox<Guest>;
  readonly connections: () => number;
}

export interface HouseOptions {
  readonly timing?: Timing;
  readonly admit?: (guest: Guest) => Result<void, Refused>;
  readonly message?: (message: Parameters<Session["message"]>[0], guest: Guest) => void;
}

export async function openHouse({ timing, admit, message }: HouseOptions = {}): Promise<House> {
  const { server, url, port } = await httpsServer();
  const [guests, heard, gone] = [new Mailbox<Guest>(), new Mailbox<unknown>(), new Mailbox<Guest>()];
  const room = createSyncServer({
    server,
    version: "test",
    log: silentLog,
    ...(timing === undefined ? {} : { timing }),
    admit(guest) {
      const decided = admit?.(guest) ?? ok(undefined);
      guests.push(guest);
      if (!decided.ok) return decided;
      guest.link.tell(welcome(guest.login));
      return ok({
        message: (said) => {
          heard.push(said);
          message?.(said, guest);
          return undefined;
        },
        gone: () => gone.push(guest),
      });
    },
  });
  const stop = new AbortController();
  const run = room.run(stop.signal);
  return {
    url,
    port,
    guests,
    heard,
    gone,
    connections: room.connections,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await run;
      server.close();
      server.closeAllConnections();
    },
  };
}

export function welcome(login: Pick<Login, "uid" | "key">): Parameters<Guest["link"]["tell"]>[0] & { t: "welcome" } {
  return {
    t: "welcome",
    uid: login.uid,
    generation: 1,
    store: STORE,
    revision: 1 as Revision,
    supernets: ["242.0.0.0/8"],
    allocationKey: login.key,
    index: 0,
    incarnation: 0,
    epoch: 0,
    head: null,
    seen: "127.0.0.1",
  } as never;
}

const privateKey = createIdentityKey();

/** loginFor answers a challenge as the test's gateway. */
export function loginFor(binding: Guest["binding"]): Login {
  const who = { cluster: "amber" as ClusterId, uid: STORE, gateway: "gw" as NodeName };
  return {
    t: "login",
    ...who,
    generation: 0,
    key: identityKeyOf(privateKey),
    tunnelKey: null,
    source: null,
    join: null,
    network: { globalnet: true, pods: [], services: [], routes: [] },
    proof: signProof(privateKey, { ...binding, ...who }),
  };
}

/** Caller is a real client whose owner notes what it hears. */
export interface Caller extends AsyncDisposable {
  readonly client: SyncClient;
  readonly states: Mailbox<string>;
  readonly batches: Mailbox<Batch>;
  readonly refusals: Mailbox<Refused>;
  readonly welcomes: Mailbox<Welcome>;
}

export function call(url: string, change: Partial<SyncClientOptions> = {}): Caller {
  const noted = {
    states: new Mailbox<string>(),
    batches: new Mailbox<Batch>(),
    refusals: new Mailbox<Refused>(),
    welcomes: new Mailbox<Welcome>(),
  };
  const client = createSyncClient({
    urls: () => [url],
    tls: () => brokerTls(CA_PEM),
    version: "test",
    clock: systemClock,
    random: () => 0.9,
    log: silentLog,
    login: loginFor,
    cursor: () => null,
    welcomed: (said) => noted.welcomes.push(said),
    batch: async (batch) => noted.batches.push(batch),
    refused: (refused) => noted.refusals.push(refused),
    state: (state) => noted.states.push(state),
    ...change,
  });
  const stop = new AbortController();
  const run = client.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await run;
  };
  return { client, ...noted, [Symbol.asyncDispose]: end };
}

/** RawPeer speaks WebSocket and nothing more. */
export class RawPeer implements Disposable {
  readonly ws: WebSocket;
  readonly messages = new Mailbox<Record<string, unknown>>();
  /** The close code, when the connection has ended. */
  readonly closed: Promise<number>;
  socket: TLSSocket | null = null;

  constructor(url: string, { path = SYNC_PATH, autoPong = true } = {}) {
    this.ws = new WebSocket(new URL(path, url), { ca: CA_PEM, autoPong, ...{ servername: BROKER_NAME } });
    this.ws.on("upgrade", ({ socket }) => {
      this.socket = socket as TLSSocket;
    });
    this.ws.on("message", (data) => this.messages.push(JSON.parse(String(data)) as Record<string, unknown>));
    this.ws.on("error", () => {});
    this.closed = new Promise((resolve) => this.ws.once("close", resolve));
  }

  async opened(): Promise<this> {
    if (this.ws.readyState !== WebSocket.OPEN) await once(this.ws, "open");
    return this;
  }

  say(message: unknown): void {
    this.ws.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  heard(t: string): Promise<Record<string, unknown>> {
    return this.messages.first((message) => message["t"] === t);
  }

  /** hello goes as far as the challenge, and gives its nonce. */
  async hello(): Promise<Buffer> {
    await this.opened();
    this.say({ t: "hello", protocols: [1, 1], features: [], version: "raw" });
    return Buffer.from(String((await this.heard("challenge"))["nonce"]), "base64url");
  }

  [Symbol.dispose](): void {
    this.ws.terminate();
  }
}

/** rawSocket does the upgrade by hand, so that a test can send octets that no WebSocket library would. */
export async function rawSocket(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ca: CA_PEM, servername: BROKER_NAME });
  await once(socket, "secureConnect");
  const key = Buffer.alloc(16, 7).toString("base64");
  socket.write(
    `GET ${SYNC_PATH} HTTP/1.1\r\nHost: broker\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await once(socket, "data");
  socket.on("error", () => {});
  return socket;
}

/** frameBytes is one client frame (RFC 6455, 5.2), masked with zeros; `first` is its first octet. */
export function frameBytes(first: number, payload: Uint8Array): Buffer {
  const length = payload.length;
  const head = length < 126 ? Buffer.from([first, 0x80 | length]) : Buffer.alloc(4);
  if (length >= 126) {
    head[0] = first;
    head[1] = 0x80 | 126;
    head.writeUInt16BE(length, 2);
  }
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}

/** record is an envelope of a given size whose content does not matter here. */
export function record(name: string, size = 10): Envelope {
  return { key: `export/amber/shop/${name}`, order: { epoch: 1, seq: 1 }, body: "x".repeat(size), signature: null };
}
