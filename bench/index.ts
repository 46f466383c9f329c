/** What the proofs share with the benchmarks. */
export type { Outcome } from "./benchmark.ts";
export { BENCHMARKS } from "./benchmarks.ts";
export { findProcess } from "./find-process.ts";
export { inRun, stopSignal } from "./in-run.ts";
export { addPods, joinCluster, type Pair, raisePair } from "./lab-pair.ts";
export { failures, reportText } from "./report.ts";
export { stampMs } from "./stamp.ts";
export { median, percentile, type Spread, spread } from "./stats.ts";
export { textTable } from "./text-table.ts";
export { busyShare, cpuSecondsOf, type Machine, type Memory, machine, memoryOf, stealShare } from "./usage.ts";
