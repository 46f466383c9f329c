import type { Severity, Trouble } from "#life";
import { type Metric, one, type Sample } from "./metric.ts";

/** LoopReading is how late the main thread's event loop was since the start of the process. */
export interface LoopReading {
  readonly p99Seconds: number;
  readonly maxSeconds: number;
}

/** buildInfo is 1, with the version as a label: the usual way to join a version to other series. */
export function buildInfo(version: string): Metric {
  return {
    name: "meridian_build_info",
    type: "gauge",
    help: "Always 1; the label says which version runs.",
    labels: ["version"],
    read: () => [{ labels: { version }, value: 1 }],
  };
}

/** loopDelay: what the daemon promises of its own main thread (p99 at most 10 ms, never above 50 ms), measured. */
export function loopDelay(loop: () => LoopReading): readonly Metric[] {
  return [
    {
      name: "meridian_loop_delay_p99_seconds",
      type: "gauge",
      help: "99th percentile of the delay of the main thread's event loop since the start.",
      labels: [],
      read: () => one(loop().p99Seconds),
    },
    {
      name: "meridian_loop_delay_max_seconds",
      type: "gauge",
      help: "Longest delay of the main thread's event loop since the start.",
      labels: [],
      read: () => one(loop().maxSeconds),
    },
  ];
}

/** troubleCounts counts troubles by code: the subjects, of which there may be any number, are for `status`. */
export function troubleCounts(troubles: () => readonly Trouble[]): Metric {
  return {
    name: "meridian_troubles",
    type: "gauge",
    help: "Troubles that are present now.",
    labels: ["code", "severity"],
    read: () => {
      const counts = new Map<string, Sample & { readonly labels: { code: string; severity: Severity } }>();
      for (const { code, severity } of troubles()) {
        const key = `${code}\n${severity}`;
        counts.set(key, { labels: { code, severity }, value: (counts.get(key)?.value ?? 0) + 1 });
      }
      return [...counts.values()];
    },
  };
}
