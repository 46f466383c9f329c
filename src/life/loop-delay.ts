import { monitorEventLoopDelay } from "node:perf_hooks";

/** LoopDelay is how late the main thread's event loop was, since the start of the process. */
export interface LoopDelay {
  p99Seconds(): number;
  maxSeconds(): number;
}

const RESOLUTION_MS = 5;

/** watchLoopDelay samples with Node's own histogram; its resolution is part of each sample and taken out again. */
export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  const seconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1e3);
  return {
    p99Seconds: () => seconds(histogram.percentile(99)),
    maxSeconds: () => (histogram.count === 0 ? 0 : seconds(histogram.max)),
  };
}
