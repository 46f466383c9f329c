/** percentile is the nearest-rank percentile of the first `count` values: the smallest one that at least the share q of
 *  them does not exceed. It selects (Hoare's quickselect, O(n)) and so reorders the values; sorting 100,000 would hold up
 *  the probes for many milliseconds. `count` is at least 1, q from 0 to 1. */
export function percentile(values: Float64Array, count: number, q: number): number {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`q must be between 0 and 1: current value is ${q}`);
  if (!(count >= 1 && count <= values.length)) throw new RangeError(`count must be 1 to ${values.length}: ${count}`);
  const rank = Math.max(0, Math.ceil(q * count) - 1);
  let low = 0;
  let high = count - 1;
  while (low < high) {
    const split = partition(values, low, high);
    if (rank <= split) high = split;
    else low = split + 1;
  }
  return values[rank] ?? Number.NaN;
}

/** partition puts what is at most the middle value before what is at least it, and gives the end of the first part. */
function partition(values: Float64Array, low: number, high: number): number {
  const pivot = values[(low + high) >>> 1] ?? 0;
  let left = low - 1;
  let right = high + 1;
  for (;;) {
    do left += 1;
    while ((values[left] ?? 0) < pivot);
    do right -= 1;
    while ((values[right] ?? 0) > pivot);
    if (left >= right) return right;
    const swap = values[left] ?? 0;
    values[left] = values[right] ?? 0;
    values[right] = swap;
  }
}
