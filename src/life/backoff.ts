export interface Backoff {
  readonly firstMs?: number;
  readonly maxMs?: number;
  /** Share of the wait that is random, 0 to 1: 1 is AWS's "full jitter". */
  readonly jitter?: number;
}

/** backoffMs returns the wait before attempt n (0-based): exponential, capped, less up to `jitter` of itself. */
export function backoffMs(
  n: number,
  random: () => number,
  { firstMs = 250, maxMs = 30_000, jitter = 1 }: Backoff = {},
): number {
  if (!(jitter >= 0 && jitter <= 1)) throw new RangeError(`jitter must be between 0 and 1: current value is ${jitter}`);
  return Math.min(maxMs, firstMs * 2 ** Math.min(n, 30)) * (1 - jitter * random());
}
