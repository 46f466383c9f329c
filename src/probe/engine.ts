import type { BenchResult } from "./bench-result.ts";
import { Allowance, paceFor } from "./pace.ts";
import { decodePacket, encodeState, type Packet } from "./packet.ts";
import type { PeerState } from "./peer-state.ts";
import { PingPong } from "./ping-pong.ts";
import type { ProbeReport, ProbeTarget } from "./report.ts";
import { REST_MS } from "./round-trip.ts";
import { Watch } from "./watch.ts";

/** What the engine needs of the world: a clock, chance, packets out, and somebody to tell. */
export interface EngineOptions {
  /** Monotonic milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
  /** Unguessable, even, below 2^53. */
  readonly cookie: () => number;
  /** send gives a packet to the socket; it may wait there until the caller's turn ends. */
  readonly send: (target: ProbeTarget, packet: Packet) => void;
  readonly onVerdict: (id: string, up: boolean) => void;
  /** `run` is what startBench was given. */
  readonly onBench: (result: BenchResult, run: number) => void;
}

/** With more targets than these, packets wait for each other: a wake-up costs more than several probes. */
const CROWD = 8;
/** Probes due within so many milliseconds leave together, in a crowd and otherwise. */
const SLACK_MS = { crowd: REST_MS, few: 1 } as const;
/** After a benchmark's packet more will come at once. */
const PROMPT_MS = 20;
/** Sleeping longer than this counts as having been late. */
const IDLE_MS = 1000;

/** What a datagram was: a probe to be answered, something taken in, or nothing of ours. */
export type Received = "echo" | "taken" | "junk";

/** Engine is the prober without its sockets: it decides what leaves when, and what an arriving packet means. The
 *  thread around it calls receive() for what has arrived, then turn() at wakeAt. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #allowance: Allowance;
  #watches = new Map<string, Watch>();
  /** The same watches, quicker to walk. */
  #list: readonly Watch[] = [];
  #byCookie = new Map<number, Watch>();
  #state: Uint8Array | null = null;
  #wakeAt: number;
  /** End of the last span in which the thread did not run; what was sent before it is not measured. */
  #lateUntil = Number.NEGATIVE_INFINITY;
  /** Whether the next turn must let the waiting probes off. */
  #late = false;
  #junk = 0;
  #strained = false;
  /** Targets whose ping waits to be given to the kernel. */
  readonly #leaving: Watch[] = [];
  /** Until then packets are read as they come. */
  #promptUntil = Number.NEGATIVE_INFINITY;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#wakeAt = options.now() + IDLE_MS;
    this.#allowance = new Allowance(options.now());
  }

  /** When turn() should be called next. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /** Datagrams that were no packets of ours, and echoes of nothing we sent. */
  get junk(): number {
    return this.#junk;
  }

  /** Whether packets may lie a little, to be read together: the kernel's receive stamps keep round trips exact. Not while
   *  this end or a peer measures back to back. */
  get patient(): boolean {
    return this.#list.length > CROWD && this.#options.now() >= this.#promptUntil;
  }

  /** The octets of our state that every packet carries; null while we have none to tell. */
  get state(): Uint8Array | null {
    return this.#state;
  }

  /** setState sets what every packet says from now on. */
  setState(state: PeerState | null): void {
    this.#state = state === null ? null : encodeState(state);
  }

  /** setTargets replaces all targets; one that stays the same keeps its history. */
  setTargets(targets: readonly ProbeTarget[]): void {
    const now = this.#options.now();
    const pace = paceFor(targets.length, this.#strained);
    const before = this.#watches;
    this.#watches = new Map();
    for (const target of targets) {
      const held = before.get(target.id);
      const watch = held?.isFor(target) ? held : new Watch(target, this.#options.cookie(), now, pace, this.#options);
      watch.tracker.setPace(pace);
      this.#watches.set(target.id, watch);
      if (held === watch) before.delete(target.id);
    }
    for (const gone of before.values()) this.#endBench(gone);
    this.#list = [...this.#watches.values()];
    this.#byCookie = new Map(this.#list.flatMap((w) => w.cookies.map((cookie) => [cookie, w])));
    this.#wakeAt = now;
  }

  /** setStrained says whether this machine has less CPU than it needs: then verdicts take more misses. */
  setStrained(strained: boolean): void {
    if (strained === this.#strained) return;
    this.#strained = strained;
    const pace = paceFor(this.#list.length, strained);
    for (const { tracker } of this.#list) tracker.setPace(pace);
  }

  /** late says that the thread did not run when it should have: what is still unanswered after the sockets were read
   *  counts neither way, and round trips over that span are not measured. */
  late(): void {
    this.#late = true;
    this.#lateUntil = this.#options.now();
  }

  /** receive takes one datagram, `length` octets in a view, that arrived at `arrivedAt`. "echo" asks the caller to answer
   *  it: any probe is answered, as a peer may know of us before we know of it. */
  receive(view: DataView, length: number, arrivedAt: number): Received {
    const packet = decodePacket(view, length);
    if (!packet.ok) return this.#ignore();
    if (packet.value.prompt) this.#promptUntil = arrivedAt + PROMPT_MS;
    if (packet.value.kind === "probe") return "echo";
    const watch = this.#byCookie.get(packet.value.cookie);
    if (watch === undefined || !this.#takeEcho(watch, packet.value, arrivedAt)) return this.#ignore();
    watch.seeState(view, arrivedAt);
    return "taken";
  }

  /** leaves says that what was sent is given to the kernel now. */
  leaves(now: number): void {
    for (const { pingPong } of this.#leaving) pingPong?.leaves(now);
    this.#leaving.length = 0;
  }

  /** turn judges overdue probes and sends those that are due. Read all sockets before. */
  turn(): void {
    const now = this.#options.now();
    const soon = now + (this.#list.length > CROWD ? SLACK_MS.crowd : SLACK_MS.few);
    let wakeAt = now + IDLE_MS;
    for (const watch of this.#list) {
      if (this.#late) watch.tracker.late();
      if (watch.tracker.next() <= soon) this.#turnProbe(watch, now, soon);
      wakeAt = Math.min(wakeAt, watch.tracker.next());
      if (watch.pingPong === null) continue;
      this.#turnBench(watch, now);
      wakeAt = Math.min(wakeAt, watch.pingPong?.next(now) ?? wakeAt);
    }
    this.#late = false;
    this.#wakeAt = Math.max(wakeAt, this.#allowance.readyAt(now));
  }

  /** startBench begins the ping-pong of one target, instead of one that still runs. onBench hears of its end: at once
   *  and without samples where the target is unknown. */
  startBench(id: string, durationMs: number, run: number): void {
    const { now, random, onBench } = this.#options;
    const pingPong = new PingPong(id, now(), durationMs, random);
    const watch = this.#watches.get(id);
    if (watch === undefined) return onBench(pingPong.result(), run);
    watch.pingPong = pingPong;
    watch.benchRun = run;
    this.#wakeAt = now();
  }

  /** stopBench forgets it. */
  stopBench(id: string): void {
    const watch = this.#watches.get(id);
    if (watch !== undefined) watch.pingPong = null;
  }

  /** reports is the state of all targets, in the order they were set. */
  reports(): Omit<ProbeReport, "since">[] {
    const now = this.#options.now();
    return this.#list.map((watch) => watch.report(now));
  }

  #ignore(): "junk" {
    this.#junk += 1;
    return "junk";
  }

  /** takeEcho books an echo by its cookie; false where it answers nothing that is out. */
  #takeEcho(watch: Watch, echo: Packet, arrivedAt: number): boolean {
    if (watch.isPing(echo.cookie)) {
      if (watch.pingPong?.received(echo.seq, arrivedAt, echo.heldNanos) !== true) return false;
      this.#ping(watch);
    } else {
      const change = watch.receive(echo, arrivedAt, this.#lateUntil);
      if (change === undefined) return false;
      if (change !== null) this.#options.onVerdict(watch.target.id, change === "up");
    }
    return true;
  }

  /** `soon` is until when a due probe may leave early. */
  #turnProbe({ target, tracker, cookie }: Watch, now: number, soon: number): void {
    const change = tracker.expire(now);
    if (change !== null) this.#options.onVerdict(target.id, change === "up");
    if (tracker.nextSend() > soon || !this.#allowance.take(now)) return;
    const seq = tracker.sent(this.#options.now());
    this.#options.send(target, this.#probe(cookie, seq, false));
  }

  #turnBench(watch: Watch, now: number): void {
    watch.pingPong?.expire(now);
    if (watch.pingPong?.done(now) === true) this.#endBench(watch);
    else this.#ping(watch);
  }

  #ping(watch: Watch): void {
    const seq = watch.pingPong?.sent(this.#options.now()) ?? null;
    if (seq === null) return;
    this.#promptUntil = this.#options.now() + PROMPT_MS;
    this.#leaving.push(watch);
    this.#options.send(watch.target, this.#probe(watch.pingCookie, seq, true));
  }

  #endBench(watch: Watch): void {
    const result = watch.pingPong?.result();
    watch.pingPong = null;
    if (result !== undefined) this.#options.onBench(result, watch.benchRun);
  }

  #probe(cookie: number, seq: number, prompt: boolean): Packet {
    return { kind: "probe", cookie, seq, heldNanos: 0, prompt };
  }
}
