import type { TLSSocket } from "node:tls";
import type { WebSocket } from "ws";
import { PONG_BYTES } from "./limits.ts";

/** Heartbeat tells whether the other end of a WebSocket is still there. A sign of life is any octet that came; or, with
 *  unsent bytes waiting, that a frame has left: a slow reader answers our ping only after all that lies before it.
 *  Frames that leave while nothing waits prove nothing: the kernel takes them for a peer that vanished, too. */
export class Heartbeat {
  readonly #ws: WebSocket;
  readonly #socket: () => TLSSocket | null;
  #read = -1;
  #hadBacklog = false;
  #moved = false;

  constructor(ws: WebSocket, socket: () => TLSSocket | null) {
    this.#ws = ws;
    this.#socket = socket;
    ws.on("ping", (data) => {
      if (ws.readyState === ws.OPEN && ws.bufferedAmount < PONG_BYTES) ws.pong(data);
    });
  }

  /** moved notes that a frame has left this process. */
  moved(): void {
    this.#moved = true;
  }

  /** beat pings, and reports whether there was a sign of life since the beat before. One whose reading we paused
   *  ourselves is alive. */
  beat(): boolean {
    const read = this.#socket()?.bytesRead ?? 0;
    const alive = read !== this.#read || (this.#hadBacklog && this.#moved) || this.#ws.isPaused;
    this.#read = read;
    this.#moved = false;
    this.#hadBacklog = this.#ws.bufferedAmount > 0;
    if (alive && this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
    return alive;
  }
}
