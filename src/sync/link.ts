import type { TLSSocket } from "node:tls";
import type { WebSocket } from "ws";
import { type Ip, parseIp } from "#values";
import { type Envelope, encode, type FromBroker } from "#wire";
import type { Heartbeat } from "./heartbeat.ts";
import { FULL_BYTES, type Timing } from "./limits.ts";
import type { Sink } from "./outbox.ts";

/** Refused is why the broker does not go on with a session. */
export interface Refused {
  readonly code: string;
  readonly message: string;
  /** Whether the same login may succeed later. */
  readonly retry: boolean;
  /** What proves it to whoever is refused: its eviction. */
  readonly record?: Envelope | null | undefined;
}

/** Hold calls back when what is about to be told may be: in the order of the calls. */
export type Hold = (leave: () => void) => void;

/** Link is one connected gateway, as its owner sees it. */
export interface Link extends Sink {
  readonly remote: Ip;
  readonly features: readonly string[];
  readonly version: string;
  /** False once it was cut or refused: nothing that still arrives counts. */
  readonly open: boolean;
  tell(message: Exclude<FromBroker, { t: "batch" }>): void;
  /** refuse says why and ends the session. */
  refuse(refused: Refused): void;
}

/** SocketLink is a link over one WebSocket. */
export class SocketLink implements Link {
  readonly remote: Ip;
  features: readonly string[] = [];
  version = "";
  open = true;
  readonly #ws: WebSocket;
  readonly #heartbeat: Heartbeat;
  readonly #timing: Timing;
  readonly #socket: TLSSocket;
  readonly #hold: Hold;
  #held = 0;
  #corked = false;

  constructor(ws: WebSocket, socket: TLSSocket, heartbeat: Heartbeat, timing: Timing, hold: Hold) {
    this.remote = remoteOf(socket);
    this.#ws = ws;
    this.#socket = socket;
    this.#hold = hold;
    this.#heartbeat = heartbeat;
    this.#timing = timing;
  }

  buffered(): number {
    return this.#ws.bufferedAmount + this.#held;
  }

  send(frame: string, left: () => void): void {
    if (!this.open) return;
    this.#held += frame.length;
    this.#hold(() => {
      this.#held -= frame.length;
      this.#cork();
      this.#ws.send(frame, (error) => {
        if (error != null) return;
        this.#heartbeat.moved();
        left();
      });
    });
  }

  tell(message: Exclude<FromBroker, { t: "batch" }>): void {
    if (this.open && this.buffered() > FULL_BYTES) this.cut("asks and does not read");
    this.send(encode(message), () => {});
  }

  /** pause reads nothing more until resume. */
  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    if (this.#ws.isPaused) this.#ws.resume();
  }

  cut(reason: string): void {
    if (!this.open) return;
    this.open = false;
    this.resume(); // the answer to the close must be read
    this.#hold(() => this.#ws.close(1008, reason.slice(0, 120))); // behind what was said before
    setTimeout(() => this.#ws.terminate(), this.#timing.graceMs).unref();
  }

  refuse(refused: Refused): void {
    this.tell({ t: "refused", ...refused, message: refused.message.slice(0, 2000) });
    this.cut(refused.code);
  }

  /** What is sent in one turn leaves together: one record of TLS and one system call instead of one for each frame. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#socket.uncork();
    });
  }
}

/** A dual-stack socket writes an IPv4 peer as ::ffff:192.0.2.1 (RFC 4291, 2.5.5.2). */
function remoteOf({ remoteAddress = "" }: TLSSocket): Ip {
  const parsed = parseIp(remoteAddress.replace(/^::ffff:(?=\d+\.)/, ""));
  return parsed.ok ? parsed.value : ("0.0.0.0" as Ip);
}
