import type { Revision } from "#values";
import { batchFrames, type Diff } from "./frames.ts";
import { SLOW_BYTES, STUCK_MS } from "./limits.ts";

/** Sink is the sending half of a socket. */
export interface Sink {
  /** Bytes given to send that the kernel has not taken. */
  buffered(): number;
  /** left is called when the frame has left this process; never where the socket ended before. */
  send(frame: string, left: () => void): void;
  cut(reason: string): void;
}

/** Source is the log that an outbox reads where its reader is behind. */
export interface Source {
  revision(): Revision;
  /** What came after a revision; null asks for everything. */
  since(revision: Revision | null): Diff;
}

/** Outbox brings one reader every change, in order, without anybody waiting for it.
 *
 *     waiting ──(start)──> behind ──(nothing missing)──> live ──(too many unsent bytes)──> behind
 *
 *  A live reader gets the frame that was encoded once for all. One that is behind gets nothing queued: when its
 *  socket has drained it gets the coalesced difference. One that takes nothing for STUCK_MS is cut. */
export class Outbox {
  readonly #sink: Sink;
  readonly #source: Source;
  readonly #now: () => number;
  #sent: Revision | null = null;
  #state: "waiting" | "live" | "behind" = "waiting";
  /** What is being sent of a difference; a new one is made only when it has ended. */
  #frames: Iterator<string> | null = null;
  /** The first state is sent even where nothing is missing: it tells the reader that it is live. */
  #owesState = false;
  #extra: (() => Diff) | null = null;
  #inFlight = false;
  #progress = 0;

  constructor(sink: Sink, source: Source, now: () => number) {
    this.#sink = sink;
    this.#source = source;
    this.#now = now;
  }

  /** Revision up to which everything was handed to the socket, or is being handed. */
  get sent(): Revision | null {
    return this.#sent;
  }

  get state(): "waiting" | "live" | "behind" {
    return this.#state;
  }

  /** start begins with what the reader lacks since its cursor; null asks for everything. Once in a session. */
  start(cursor: Revision | null): void {
    if (this.#state !== "waiting") throw new Error("an outbox is started once");
    this.#sent = cursor;
    this.#owesState = true;
    this.#progress = this.#now();
    this.#state = "behind";
    this.#pump();
  }

  /** offer hands over one change, already encoded, as one or more frames. */
  offer(frames: readonly string[], revision: Revision): void {
    if (this.#state === "waiting" || (this.#sent ?? -1) >= revision) return; // a difference had it already
    const waiting = this.#sink.buffered();
    if (this.#state === "live" && waiting <= SLOW_BYTES) {
      if (waiting === 0) this.#progress = this.#now();
      this.#sent = revision;
      for (const frame of frames) this.#sink.send(frame, () => this.#moved());
      return;
    }
    this.#state = "behind";
    if (this.#now() - this.#progress > STUCK_MS) return this.#sink.cut("too slow: resume from your cursor");
    this.#pump();
  }

  /** insert sends something besides the log, when the reader has everything up to now: so that a cursor taken from it
   *  skips nothing. A later call replaces one that has not begun. */
  insert(extra: () => Diff): void {
    if (this.#state === "waiting") return;
    this.#extra = extra;
    this.#state = "behind";
    this.#pump();
  }

  #moved(): void {
    this.#progress = this.#now();
    this.#pump();
  }

  /** One frame of a difference at a time, the next when it has left: memory stays bounded by one frame. */
  #pump(): void {
    if (this.#state !== "behind" || this.#inFlight || this.#sink.buffered() > SLOW_BYTES / 2) return;
    const frame = this.#nextFrame();
    if (frame === undefined) {
      this.#state = "live";
      return;
    }
    this.#inFlight = true;
    this.#sink.send(frame, () => {
      this.#inFlight = false;
      this.#moved();
    });
  }

  #nextFrame(): string | undefined {
    for (;;) {
      const step = this.#frames?.next();
      if (step?.done === false) return step.value;
      const diff = this.#nextDiff();
      this.#frames = diff === undefined ? null : batchFrames(diff);
      if (diff === undefined) return undefined;
    }
  }

  #nextDiff(): Diff | undefined {
    if (this.#owesState || this.#sent !== this.#source.revision()) {
      const diff = this.#source.since(this.#sent);
      this.#owesState = false;
      this.#sent = diff.revision;
      return diff;
    }
    const extra = this.#extra;
    this.#extra = null;
    return extra?.();
  }
}
