import type { TLSSocket } from "node:tls";
import WebSocket from "ws";
import { channelBinding } from "#identity";
import { backoffMs, type Clock, type Log, type Room } from "#life";
import { err, ok, type Result, type Revision } from "#values";
import {
  type Batch,
  type Cursor,
  decodeFromBroker,
  encode,
  FEATURES,
  type FromBroker,
  type FromGateway,
  type Login,
  PROTOCOL,
  type Welcome,
} from "#wire";
import { HANDSHAKE_MS, PING_MS, SOCKET_LIMITS, SYNC_PATH } from "./limits.ts";
import type { Refused } from "./server.ts";

/** SessionState of the client:
 *     dialing ──> greeting ──> syncing ──> live ──> dialing …
 * `live` means that the first state was received, not that the broker is still there. Keep serving what was learned. */
export type SessionState = "dialing" | "greeting" | "syncing" | "live";

export interface Fault {
  readonly code: string;
  readonly message: string;
}

export interface SyncClientOptions {
  /** `wss://HOST:PORT` of the brokers, tried in turn. */
  readonly urls: () => readonly string[];
  readonly tls: () => { readonly ca: string; readonly servername: string };
  readonly version: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** login is asked for the message that answers a challenge; its proof is bound to this connection. */
  login(binding: { readonly exporter: Uint8Array; readonly nonce: Uint8Array }): Login;
  cursor(): Cursor | null;
  welcomed(welcome: Welcome): void;
  /** batch takes one frame of changes; the next is not read before it has ended. */
  batch(batch: Batch): Promise<void>;
  refused(refused: Refused): void;
  state(state: SessionState, url: string): void;
}

/** SyncClient keeps a session to the broker and asks things of it. Answers are errors with code `broker-away` when
 *  the session ends first: the caller asks again after the next welcome. */
export interface SyncClient extends Room {
  readonly state: SessionState;
  publish(ask: {
    put: Extract<FromGateway, { t: "publish" }>["put"];
    remove: string[];
  }): Promise<Result<Revision, Fault>>;
  claim(): Promise<Result<number, Fault>>;
  yieldEpoch(): Promise<Result<Revision, Fault>>;
  leave(record: Extract<FromGateway, { t: "leave" }>["record"]): Promise<Result<Revision, Fault>>;
  report(report: Omit<Extract<FromGateway, { t: "report" }>, "t">): void;
  askSnapshot(clusters: Extract<FromGateway, { t: "snapshot" }>["clusters"]): void;
}

const AWAY: Fault = { code: "broker-away", message: "the broker cannot be reached now" };
/** Wait after a refusal that the same login cannot cure: no retry storm (F39), yet a cured broker is found again. */
const REFUSED_MS = 30_000;

type Answer = Extract<FromBroker, { t: "ack" | "nack" | "epoch" }>;
type Ask = Extract<FromGateway, { id: number }>;
type Unnumbered = Ask extends infer A ? (A extends Ask ? Omit<A, "id"> : never) : never;

export function createSyncClient(options: SyncClientOptions): SyncClient {
  return new Client(options);
}

class Client implements SyncClient {
  readonly name = "sync-client";
  readonly #options: SyncClientOptions;
  readonly #pending = new Map<number, (answer: Answer | null) => void>();
  #socket: WebSocket | null = null;
  #state: SessionState = "dialing";
  #nextId = 1;
  #refused: Refused | null = null;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: SyncClientOptions) {
    this.#options = options;
  }

  get state(): SessionState {
    return this.#state;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, urls } = this.#options;
    for (let attempt = 0, turn = 0; !signal.aborted; turn += 1) {
      const all = urls();
      const url = all[turn % all.length] ?? "";
      const wasLive = await this.#session(url, signal);
      if (signal.aborted) return;
      attempt = wasLive ? 0 : attempt + 1;
      const hopeless = this.#refused !== null && !this.#refused.retry;
      const wait = hopeless
        ? REFUSED_MS * (0.5 + random())
        : backoffMs(attempt, random, { firstMs: 200, maxMs: 15_000 });
      await clock.sleep(wait, signal).catch(() => {});
    }
  }

  async publish(ask: Parameters<SyncClient["publish"]>[0]): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask({ t: "publish", ...ask }));
  }

  async claim(): Promise<Result<number, Fault>> {
    const answer = await this.#ask({ t: "claim" });
    return answer.ok && answer.value.t === "epoch" ? ok(answer.value.epoch) : err(faultOf(answer));
  }

  async yieldEpoch(): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask({ t: "yield" }));
  }

  async leave(record: Parameters<SyncClient["leave"]>[0]): Promise<Result<Revision, Fault>> {
    return revisionOf(await this.#ask({ t: "leave", record }));
  }

  report(report: Parameters<SyncClient["report"]>[0]): void {
    if (this.#state === "live" && (this.#socket?.bufferedAmount ?? 0) < 65_536) this.#send({ t: "report", ...report });
  }

  askSnapshot(clusters: Parameters<SyncClient["askSnapshot"]>[0]): void {
    if (this.#state === "live") this.#send({ t: "snapshot", clusters });
  }

  #ask(message: Unnumbered): Promise<Result<Answer, Fault>> {
    if (this.#state !== "live") return Promise.resolve(err(AWAY));
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#pending.set(id, (answer) => {
        this.#pending.delete(id);
        if (answer === null) resolve(err(AWAY));
        else resolve(answer.t === "nack" ? err({ code: answer.code, message: answer.message }) : ok(answer));
      });
      this.#send({ ...message, id } as Ask);
    });
  }

  /** All messages are made of parsed values; what differs from the wire's input type is only their brands. */
  #send(message: FromGateway): void {
    this.#socket?.send(encode(message as Parameters<typeof encode>[0]));
  }

  /** One connection, from dialing to its end. Tells whether it got as far as live. */
  async #session(url: string, signal: AbortSignal): Promise<boolean> {
    const { tls, state, log, version } = this.#options;
    this.#enter("dialing", url);
    this.#refused = null;
    const { ca, servername } = tls();
    const ws = new WebSocket(new URL(SYNC_PATH, url), {
      ...SOCKET_LIMITS,
      ca,
      minVersion: "TLSv1.3",
      handshakeTimeout: HANDSHAKE_MS,
      ...{ servername }, // passed on to tls.connect; the types of ws do not list it
    });
    this.#socket = ws;
    let tlsSocket: TLSSocket | null = null;
    let heard = true;
    let live = false;
    const watch = setInterval(() => {
      if (!heard) ws.terminate();
      heard = false;
      if (ws.readyState === ws.OPEN) ws.ping();
    }, PING_MS);
    const stop = (): void => ws.close(1000);
    signal.addEventListener("abort", stop, { once: true });
    ws.on("upgrade", (response) => {
      tlsSocket = response.socket as TLSSocket;
    });
    ws.on("open", () => {
      this.#enter("greeting", url);
      this.#send({ t: "hello", protocols: [PROTOCOL.oldest, PROTOCOL.newest], features: [...FEATURES], version });
    });
    ws.on("pong", () => {
      heard = true;
    });
    ws.on("message", (data) => {
      heard = true;
      const message = decodeFromBroker(String(data));
      if (!message.ok) {
        log.warn("the broker sent what is no message", { url, error: message.error });
        return ws.close(1008);
      }
      this.#take(message.value, tlsSocket, url);
      live ||= this.#state === "live";
    });
    ws.on("error", (error) => log.debug("session error", { url, error: error.message }));
    await new Promise<void>((resolve) => ws.once("close", () => resolve()));
    clearInterval(watch);
    signal.removeEventListener("abort", stop);
    await this.#queue;
    this.#socket = null;
    live ||= this.#state === "live";
    this.#state = "dialing";
    state("dialing", url);
    for (const resolve of [...this.#pending.values()]) resolve(null);
    return live;
  }

  #enter(next: SessionState, url: string): void {
    this.#state = next;
    this.#options.state(next, url);
  }

  #take(message: FromBroker, socket: TLSSocket | null, url: string): void {
    switch (message.t) {
      case "challenge": {
        if (socket === null) return;
        const nonce = Buffer.from(message.nonce, "base64url");
        this.#send(this.#options.login({ exporter: channelBinding(socket), nonce }));
        return;
      }
      case "refused": {
        this.#refused = message;
        this.#options.refused(message);
        return;
      }
      case "welcome": {
        this.#options.welcomed(message);
        this.#enter("syncing", url);
        this.#send({ t: "sync", cursor: this.#options.cursor() });
        return;
      }
      case "batch": {
        this.#queue = this.#queue.then(async () => {
          await this.#options.batch(message);
          if (!message.more && this.#state === "syncing") this.#enter("live", url);
        });
        return;
      }
      default:
        this.#pending.get(message.id)?.(message);
    }
  }
}

function revisionOf(answer: Result<Answer, Fault>): Result<Revision, Fault> {
  return answer.ok && answer.value.t === "ack" ? ok(answer.value.revision) : err(faultOf(answer));
}

function faultOf(answer: Result<Answer, Fault>): Fault {
  return answer.ok ? { code: "bad-message", message: `the broker answered with ${answer.value.t}` } : answer.error;
}
