/** Weights is endpoint text to positive weight. */
export type Weights = ReadonlyMap<string, number>;

/** quotas divides `buckets` among weights by largest remainder (Hamilton's method), each at least one; equal remainders
 *  go first to whoever already holds more, so that a second division moves nothing. There are at least as many
 *  buckets as weights. */
export function quotas(
  weights: Weights,
  buckets: number,
  held: ReadonlyMap<string, number> = new Map(),
): Map<string, number> {
  // The usual service: nothing to divide.
  if (weights.size === buckets) return new Map([...weights.keys()].map((endpoint) => [endpoint, 1]));
  const exact = exactShares(weights, buckets);
  const result = new Map<string, number>();
  let left = buckets;
  for (const [endpoint, share] of exact) {
    result.set(endpoint, Math.floor(share));
    left -= Math.floor(share);
  }
  const spare = (endpoint: string): number => (held.get(endpoint) ?? 0) - (result.get(endpoint) ?? 0);
  const order = [...exact]
    .map(([endpoint, share]) => ({ endpoint, remainder: share - Math.floor(share), spare: spare(endpoint) }))
    .sort((a, b) => b.remainder - a.remainder || b.spare - a.spare || (a.endpoint < b.endpoint ? -1 : 1));
  for (const { endpoint } of order.slice(0, left)) result.set(endpoint, (result.get(endpoint) ?? 0) + 1);
  return result;
}

/** exactShares is each weight's share of the buckets, not rounded. A share below one bucket is lifted to one, at the
 *  cost of the others, until no other falls below. */
function exactShares(weights: Weights, buckets: number): Map<string, number> {
  const lifted = new Set<string>();
  for (;;) {
    const rest = [...weights].filter(([endpoint]) => !lifted.has(endpoint));
    const total = rest.reduce((sum, [, weight]) => sum + weight, 0);
    const room = buckets - lifted.size;
    const low = rest.filter(([, weight]) => (weight / total) * room < 1);
    for (const [endpoint] of low) lifted.add(endpoint);
    if (low.length > 0) continue;
    const shareOf = (weight: number): number => (weight / total) * room;
    return new Map([...weights].map(([endpoint, weight]) => [endpoint, lifted.has(endpoint) ? 1 : shareOf(weight)]));
  }
}

/** assign gives each bucket an endpoint and moves as few as the weights allow. `before` may have another length: the
 *  kernel scales a 32-bit hash to the number of buckets (`reciprocal_scale`), so bucket i of N lies in bucket
 *  floor(i P / N) of P, and a client stays with its endpoint when a service goes from 128 to 1,024 buckets. */
export function assign(before: readonly (string | undefined)[], weights: Weights, buckets: number): readonly string[] {
  const inherited = Array.from({ length: buckets }, (_, i) => before[Math.floor((i * before.length) / buckets)]);
  const left = quotas(weights, buckets, count(inherited));
  const result = inherited.map((endpoint) => (endpoint !== undefined && take(left, endpoint) ? endpoint : undefined));
  const free = [...left].flatMap(([endpoint, n]) => Array.from({ length: n }, () => endpoint));
  let next = 0;
  return result.map((endpoint) => endpoint ?? free[next++] ?? "");
}

function take(left: Map<string, number>, endpoint: string): boolean {
  const n = left.get(endpoint) ?? 0;
  if (n > 0) left.set(endpoint, n - 1);
  return n > 0;
}

function count(buckets: readonly (string | undefined)[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const endpoint of buckets) if (endpoint !== undefined) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
  return counts;
}
