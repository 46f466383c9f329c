import { Histogram } from "./histogram.ts";
import { LossWindow } from "./loss-window.ts";
import type { Pace } from "./pace.ts";
import { type Packet, stateIn } from "./packet.ts";
import type { PeerState } from "./peer-state.ts";
import type { PingPong } from "./ping-pong.ts";
import type { ProbeReport, ProbeTarget } from "./report.ts";
import { pathMs } from "./round-trip.ts";
import { type Change, Tracker } from "./tracker.ts";

/** How often a peer's state is looked at. */
const STATE_MS = 200;

/** Watch is all that is kept for one target. */
export class Watch {
  readonly target: ProbeTarget;
  readonly tracker: Tracker;
  /** Cookie of its probes; even. */
  readonly cookie: number;
  /** Cookie of its benchmark's pings: so the two never take each other's echoes. */
  readonly pingCookie: number;
  /** The benchmark that runs, and its number. */
  pingPong: PingPong | null = null;
  benchRun = 0;
  readonly #loss = new LossWindow();
  readonly #histogram = new Histogram();
  #peerState: PeerState | null = null;
  /** When the peer's state was last looked at. */
  #stateSeenAt = Number.NEGATIVE_INFINITY;

  constructor(
    target: ProbeTarget,
    cookie: number,
    now: number,
    pace: Pace,
    { random }: { readonly random: () => number },
  ) {
    this.target = target;
    this.cookie = cookie;
    this.pingCookie = cookie + 1;
    this.tracker = new Tracker(now, pace, random, this.#loss);
  }

  /** Both cookies by which its echoes are known. */
  get cookies(): readonly number[] {
    return [this.cookie, this.pingCookie];
  }

  /** isFor reports whether a target is this same way. */
  isFor({ address, interface: link }: ProbeTarget): boolean {
    return this.target.address === address && this.target.interface === link;
  }

  /** isPing reports whether an echo belongs to the benchmark. */
  isPing(cookie: number): boolean {
    return cookie === this.pingCookie;
  }

  /** receive takes the echo of a probe; what was sent before `lateUntil` gives no round trip. Undefined: not ours. */
  receive({ seq, heldNanos }: Packet, arrivedAt: number, lateUntil: number): Change | undefined {
    const sentAt = this.tracker.sentAtOf(seq);
    if (sentAt === undefined) return undefined;
    const rttMs = pathMs(sentAt, arrivedAt, heldNanos);
    const measured = sentAt >= lateUntil;
    const change = this.tracker.received(seq, measured ? rttMs : null);
    if (change !== undefined && measured) this.#histogram.add(rttMs / 1000);
    return change;
  }

  /** seeState takes the peer's state from an echo that was ours: its cookie vouches for the sender. It is looked at a few
   *  times a second, not in every packet. */
  seeState(view: DataView, now: number): void {
    if (now < this.#stateSeenAt + STATE_MS) return;
    this.#stateSeenAt = now;
    this.#peerState = stateIn(view) ?? this.#peerState;
  }

  /** report is all but when `up` changed, which the main thread's clock tells. */
  report(now: number): Omit<ProbeReport, "since"> {
    const { meanMs, jitterMs } = this.tracker.roundTrip;
    return {
      id: this.target.id,
      up: this.tracker.up,
      rttSeconds: meanMs === null ? null : meanMs / 1000,
      jitterSeconds: jitterMs === null ? null : jitterMs / 1000,
      lossRatio: this.#loss.ratio(now),
      sent: this.tracker.sentCount,
      received: this.tracker.receivedCount,
      histogram: this.#histogram.cumulative(),
      histogramCount: this.#histogram.count,
      histogramSum: this.#histogram.sum,
      peerState: this.#peerState,
    };
  }
}
