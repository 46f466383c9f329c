/** What a client thread is told, and what it tells: words in shared memory, so that it never has to listen. */
export const CELL = { stop: 0, sent: 1, answered: 2, failed: 3, lost: 4, cells: 8 } as const;
/** Buckets of a latency histogram: 10 µs each up to 100 ms, and one for longer. */
export const BUCKET_US = 10;
export const BUCKETS = 10_001;

export interface ClientThread {
  readonly port: number;
  readonly messages: readonly Uint8Array[];
  /** Counters, then the histogram, as Float64. */
  readonly shared: SharedArrayBuffer;
  /** Messages a second, without waiting for replies; 0: a window of messages, again and again, as fast as they are answered. */
  readonly perSecond: number;
}
