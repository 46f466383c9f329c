export type { BenchAsk } from "./bench.ts";
export type { BenchResult } from "./bench-result.ts";
export type { ProbeMode } from "./messages.ts";
export type { PeerState } from "./peer-state.ts";
export { PROBE_PORT } from "./probe-port.ts";
export { createProber, type Prober, type ProberOptions } from "./prober.ts";
export type { ProbeReport, ProbeTarget } from "./report.ts";
