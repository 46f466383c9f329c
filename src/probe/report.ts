import type { Ip, Millis } from "#values";
import type { PeerState } from "./peer-state.ts";

/** ProbeTarget is one way to one peer gateway. */
export interface ProbeTarget {
  /** "cluster/gateway", unique among the targets. */
  readonly id: string;
  /** The peer gateway's global address. */
  readonly address: Ip;
  /** The tunnel that probes take, "mrd0", whatever the routes say; null leaves it to them. */
  readonly interface: string | null;
}

/** ProbeReport is what is known of one target. Times in seconds unless named otherwise. */
export interface ProbeReport {
  readonly id: string;
  readonly up: boolean;
  /** When `up` last changed, or when the target was set. */
  readonly since: Millis;
  /** Smoothed round trip, the responder's own time taken out; null before the first echo. */
  readonly rttSeconds: number | null;
  readonly jitterSeconds: number | null;
  /** Share of the probes of the last 10 s without an echo. */
  readonly lossRatio: number;
  readonly sent: number;
  readonly received: number;
  /** Cumulative: how many round trips took at most `le` seconds. */
  readonly histogram: readonly { readonly le: number; readonly count: number }[];
  readonly histogramCount: number;
  readonly histogramSum: number;
  /** The peer's state by its echoes; null before one carried it. */
  readonly peerState: PeerState | null;
}
