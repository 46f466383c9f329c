import type { TLSSocket } from "node:tls";
import WebSocket from "ws";
import { channelBinding } from "#identity";
import { decodeFromBroker, encode, type FromBroker, type FromGateway } from "#wire";
import { Heartbeat } from "./heartbeat.ts";
import { SOCKET_LIMITS, SYNC_PATH, type Timing } from "./limits.ts";

export interface LineOptions {
  /** `wss://HOST:PORT` */
  readonly url: string;
  readonly tls: { readonly ca: string; readonly servername: string };
  readonly timing: Timing;
  opened(line: Line): void;
  /** What it returns is not waited for before the next message, but counts against how much may wait. */
  heard(message: FromBroker, line: Line): Promise<void> | undefined;
  /** The connection failed, or what came is no message. */
  fault(reason: string): void;
}

/** With so many messages at work nothing more is read; with so few it goes on. */
const PAUSE_AT = 8;
const RESUME_AT = 2;

/** Line is one connection to a broker. */
export class Line {
  readonly #ws: WebSocket;
  readonly #options: LineOptions;
  readonly #heart: Heartbeat;
  #socket: TLSSocket | null = null;
  #working = 0;
  #over = false;

  constructor(options: LineOptions) {
    this.#options = options;
    const { url, tls, timing } = options;
    this.#ws = new WebSocket(new URL(SYNC_PATH, url), {
      ...SOCKET_LIMITS,
      ca: tls.ca,
      minVersion: "TLSv1.3",
      handshakeTimeout: timing.handshakeMs,
      ...{ servername: tls.servername }, // passed on to tls.connect; the types of ws do not list it
    });
    this.#heart = new Heartbeat(this.#ws, () => this.#socket);
  }

  /** Bytes that wait to be sent. */
  get buffered(): number {
    return this.#ws.bufferedAmount;
  }

  get open(): boolean {
    return !this.#over && this.#ws.readyState === this.#ws.OPEN;
  }

  /** What a proof for this connection is bound to. */
  binding(): Uint8Array {
    if (this.#socket === null) throw new Error("not connected");
    return channelBinding(this.#socket);
  }

  /** All messages are made of parsed values; what differs from the wire's input type is only their brands. */
  send(message: FromGateway): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    this.#ws.send(encode(message as Parameters<typeof encode>[0]), () => this.#heart.moved());
  }

  /** hangUp ends the connection, and does not wait long for the other end to agree. */
  hangUp(code: number): void {
    this.#over = true;
    this.#ws.close(code);
    if (this.#ws.isPaused) this.#ws.resume(); // the answer to the close must be read
    setTimeout(() => this.#ws.terminate(), this.#options.timing.graceMs).unref();
  }

  /** hold returns when the connection has ended and all that came of it is done. */
  async hold(signal: AbortSignal): Promise<void> {
    const { timing, opened, fault } = this.#options;
    const ws = this.#ws;
    const beats = setInterval(() => {
      if (ws.readyState !== ws.CONNECTING && !this.#heart.beat()) ws.terminate();
    }, timing.pingMs);
    const stop = (): void => this.hangUp(1000);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    ws.on("upgrade", (response) => {
      this.#socket = response.socket as TLSSocket;
    });
    ws.on("open", () => opened(this));
    ws.on("message", (data, binary) => this.#frame(binary ? null : String(data)));
    ws.on("error", (error) => fault(error.message));
    await new Promise<void>((resolve) => ws.once("close", () => resolve()));
    clearInterval(beats);
    signal.removeEventListener("abort", stop);
  }

  /** What fails in here ends this connection alone: the next one begins at the cursor. */
  #frame(text: string | null): void {
    if (this.#over) return;
    const { fault, heard } = this.#options;
    const message = text === null ? undefined : decodeFromBroker(text);
    if (message?.ok !== true) {
      fault(`the broker sent what is no message: ${message?.error ?? "a binary frame"}`);
      return this.hangUp(1008);
    }
    try {
      const work = heard(message.value, this);
      if (work !== undefined) void this.#track(work);
    } catch (error) {
      fault(`a message could not be taken: ${String(error)}`);
      this.hangUp(1011);
    }
  }

  /** A broker that sends faster than its changes can be applied is read slower. */
  async #track(work: Promise<void>): Promise<void> {
    this.#working += 1;
    if (this.#working >= PAUSE_AT) this.#ws.pause();
    await work;
    this.#working -= 1;
    if (this.#working <= RESUME_AT && this.#ws.isPaused) this.#ws.resume();
  }
}
