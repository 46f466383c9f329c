import type { MessagePort } from "node:worker_threads";
import type { Ip, Result } from "#values";
import type { BenchResult } from "./bench-result.ts";
import type { PeerState } from "./peer-state.ts";
import type { ProbeReport, ProbeTarget } from "./report.ts";

/** ProbeMode is how the thread reaches its socket: by the C library in batches, or by node:dgram where it cannot. */
export type ProbeMode = "ffi" | "dgram";

/** What the probe thread is started with. */
export interface WorkerSetup {
  readonly address: Ip;
  readonly port: number;
  /** "auto" takes the C library if it can be had. */
  readonly mode: ProbeMode | "auto";
  /** Seed of jitter and sampling, 0 to 1. */
  readonly seed: number;
  readonly mail: MessagePort;
}

export type ToWorker =
  /** `revision` counts the calls, so that a report of the targets before is not taken for one of these. */
  | { readonly kind: "targets"; readonly revision: number; readonly targets: readonly ProbeTarget[] }
  | { readonly kind: "state"; readonly state: PeerState | null }
  /** `run` counts the benchmarks, so that a late result of an aborted one is not taken for the next one's. */
  | { readonly kind: "bench"; readonly run: number; readonly ids: readonly string[]; readonly durationMs: number }
  | { readonly kind: "bench-stop"; readonly ids: readonly string[] }
  | { readonly kind: "stop" };

export type FromWorker =
  /** An eventfd: writing to it wakes the thread, which then reads its mail. */
  | { readonly kind: "wake-by"; readonly fd: number }
  | { readonly kind: "open"; readonly mode: ProbeMode; readonly fallback: string | null }
  | { readonly kind: "not-open"; readonly reason: string }
  | { readonly kind: "verdict"; readonly id: string; readonly up: boolean }
  | { readonly kind: "bench"; readonly run: number; readonly result: BenchResult }
  | {
      readonly kind: "reports";
      readonly revision: number;
      readonly reports: readonly Omit<ProbeReport, "since">[];
      readonly junk: number;
    };

/** What the throughput thread is started with. */
export interface ThroughputSetup {
  readonly address: Ip;
  readonly port: number;
  readonly mail: MessagePort;
}

export type ThroughputOrder =
  | { readonly kind: "peers"; readonly addresses: readonly Ip[] }
  | { readonly kind: "measure"; readonly run: number; readonly to: Ip; readonly durationMs: number }
  | { readonly kind: "cancel" }
  | { readonly kind: "stop" };

export type ThroughputAnswer =
  /** `fault` is null once the server listens. */
  | { readonly kind: "listening"; readonly fault: string | null }
  | { readonly kind: "measured"; readonly run: number; readonly result: Result<number, string> };
