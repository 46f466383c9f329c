/** stampMs is CLOCK_MONOTONIC in milliseconds: the same clock in every process and network namespace of a machine, so
 *  that a moment seen in one can be compared with a moment seen in another. */
export function stampMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
