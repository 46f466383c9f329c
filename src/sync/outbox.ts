import type { Revision } from "#values";
import { batchFrames, type Diff } from "./frames.ts";
import { SLOW_BYTES, STUCK_MS } from "./limits.ts";

/** Sink is the sending half of a socket. */
export interface Sink {
  /** Bytes given to send that the kernel has not taken. */
  buffered(): number;
  /** done is called when the frame left this process; also when it never will. */
  send(frame: string, done: () => void): void;
  cut(reason: string): void;
}

/** Outbox brings one reader every change, in order, without anybody waiting for it.
 *
 *     live ──(too many unsent bytes)──> behind ──(socket drained)──> diff since its revision ──> live
 *
 *  A live reader gets the frame that was encoded once for all. One that is behind gets nothing queued: when its
 *  socket has drained it gets the coalesced difference. One that takes nothing for STUCK_MS is cut. */
export class Outbox {
  readonly #sink: Sink;
  readonly #diff: (since: Revision | null) => Diff;
  readonly #now: () => number;
  #sent: Revision | null;
  #state: "waiting" | "live" | "behind" = "waiting";
  #frames: Iterator<string> | null = null;
  #progress = 0;

  constructor(sink: Sink, diff: (since: Revision | null) => Diff, now: () => number) {
    this.#sink = sink;
    this.#diff = diff;
    this.#now = now;
    this.#sent = null;
  }

  /** Revision up to which everything was handed to the socket. */
  get sent(): Revision | null {
    return this.#sent;
  }

  get behind(): boolean {
    return this.#state === "behind";
  }

  /** start begins with what the reader lacks since its cursor; null asks for everything. */
  start(cursor: Revision | null): void {
    this.#sent = cursor;
    this.#state = "behind";
    this.#progress = this.#now();
    this.#pump();
  }

  /** offer hands over one change, already encoded, as one or more frames. */
  offer(frames: readonly string[], revision: Revision): void {
    if (this.#state === "waiting") return;
    if (this.#state === "live" && this.#sink.buffered() <= SLOW_BYTES) {
      this.#sent = revision;
      this.#progress = this.#now();
      for (const frame of frames) this.#sink.send(frame, () => this.#drained());
      return;
    }
    this.#state = "behind";
    if (this.#now() - this.#progress > STUCK_MS) this.#sink.cut("too slow: resume from your cursor");
  }

  #drained(): void {
    this.#progress = this.#now();
    if (this.#state === "behind") this.#pump();
  }

  /** One frame of the difference at a time, the next when it has left: memory stays bounded by one frame. */
  #pump(): void {
    if (this.#sink.buffered() > SLOW_BYTES / 2) return;
    if (this.#frames === null) {
      const diff = this.#diff(this.#sent);
      this.#frames = batchFrames(diff);
      this.#sent = diff.revision;
    }
    const next = this.#frames.next();
    if (next.done !== true) {
      this.#sink.send(next.value, () => this.#drained());
      return;
    }
    this.#frames = null;
    const missed = this.#diff(this.#sent);
    if (missed.revision === this.#sent) this.#state = "live";
    else this.#pump();
  }
}
