import type { Socket } from "node:net";
import { HEADER } from "./iana.ts";
import { TcpInbox } from "./tcp-inbox.ts";
import type { TcpLimits } from "./tcp-limits.ts";

/** TcpAnswer gives the reply to a message with its two-octet length, or nothing where there is none. `source` is the
 *  client's address in octets. */
export type TcpAnswer = (message: Uint8Array, source: Uint8Array) => Buffer | undefined;

export interface TcpConnectionOptions {
  readonly answer: TcpAnswer;
  readonly source: Uint8Array;
  readonly limits: TcpLimits;
  /** Monotonic time in milliseconds. */
  readonly now: () => number;
  /** A whole query came: the connection is useful. */
  readonly onQuery: () => void;
}

/** Queries answered in one turn of the event loop; others come first then. */
const QUERIES_PER_TURN = 64;

/** TcpConnection is one client (RFC 7766): messages behind a two-octet length, any number in a segment or a segment
 *  each octet. It answers in order, as fast as the client reads: what it has not answered stays in the kernel.
 *
 *    waiting ──first octet──> reading ──last octet──> idle ──first octet──> reading …
 *  Each state has a deadline; so has a reply that does not leave. A half-closed client gets its replies first. */
export class TcpConnection {
  readonly #socket: Socket;
  readonly #o: TcpConnectionOptions;
  readonly #inbox = new TcpInbox();
  /** Since when it waits for octets, and whether for the rest of a message or for the next one. */
  #since: number;
  #state: "waiting" | "reading" | "idle" = "waiting";
  #writingSince: number | undefined;
  #ended = false;
  #closing = false;
  #scheduled = false;

  constructor(socket: Socket, options: TcpConnectionOptions) {
    this.#socket = socket;
    this.#o = options;
    this.#since = options.now();
    socket.setNoDelay(true);
    socket.on("error", () => {}); // a reset: "close" follows
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("end", () => {
      this.#ended = true;
      this.#work();
    });
  }

  /** close ends the connection once what is written has left; cut ends it at once. */
  close(): void {
    this.#closing = true;
    this.#socket.destroySoon();
  }

  cut(): void {
    this.#closing = true;
    this.#socket.destroy();
  }

  /** check closes the connection if it is past a deadline. */
  check(now: number): void {
    const { messageMs, idleMs, writeMs } = this.#o.limits;
    if (this.#writingSince !== undefined) {
      if (now - this.#writingSince > writeMs) this.cut();
    } else if (now - this.#since > (this.#state === "idle" ? idleMs : messageMs)) {
      this.close();
    }
  }

  /** receive adds to what is not yet answered; what is kept between chunks is less than one message. */
  #receive(chunk: Buffer): void {
    if (this.#closing) return;
    if (this.#state === "idle") this.#enter("reading");
    this.#inbox.put(chunk);
    this.#work();
  }

  /** Each state begins its own deadline. */
  #enter(state: "reading" | "idle"): void {
    this.#state = state;
    this.#since = this.#o.now();
  }

  /** work answers whole messages until there is none, the client must read first, or it is others' turn. */
  #work(): void {
    if (this.#closing || this.#scheduled || this.#socket.destroyed) return;
    this.#socket.cork();
    let left = QUERIES_PER_TURN;
    while (left > 0 && !this.#full && this.#next()) left--;
    this.#socket.uncork();
    if (this.#closing) return;
    if (this.#full) {
      this.#socket.pause();
    } else if (left === 0) {
      this.#socket.pause();
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        this.#work();
      });
    } else {
      if (this.#ended) this.close();
      else this.#socket.resume();
      this.#inbox.settle();
    }
  }

  /** Whether so much waits to be read by the client that no more is answered. */
  get #full(): boolean {
    return this.#socket.writableLength > this.#o.limits.backlogBytes;
  }

  /** next answers the first whole message; false when there is none. */
  #next(): boolean {
    const inbox = this.#inbox;
    if (this.#closing) return false;
    if ((inbox.length ?? HEADER) < HEADER) {
      this.close();
      return false;
    }
    const message = inbox.take();
    if (message === undefined) return false;
    this.#enter(inbox.waiting === 0 ? "idle" : "reading");
    this.#o.onQuery();
    const reply = this.#o.answer(message, this.#o.source);
    if (reply !== undefined) this.#write(reply);
    return true;
  }

  /** write hands a reply to the kernel or its queue, and watches that it leaves. */
  #write(reply: Buffer): void {
    this.#writingSince ??= this.#o.now();
    this.#socket.write(reply, () => {
      const empty = this.#socket.writableLength === 0;
      this.#writingSince = empty ? undefined : this.#o.now();
      if (empty) this.#work();
    });
  }
}
