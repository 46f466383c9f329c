import type { ClusterId } from "#values";
import type { OwnedCandidate } from "./partition.ts";
import type { Tally } from "./tally.ts";

/** stage puts a batch into a tally and tells how to take it back. */
export function stage(
  tally: Tally,
  owned: readonly OwnedCandidate[],
  cluster: ClusterId,
  removals: readonly string[],
  snapshot: boolean,
): { readonly removed: readonly string[]; revert(): void } {
  const present = new Set(owned.map(({ envelope }) => envelope.key));
  const gone = snapshot ? [...tally.keys()] : removals.filter((key) => key.split("/")[1] === cluster);
  const removed = gone.filter((key) => tally.get(key) !== undefined && !present.has(key));
  const puts = owned.map(({ envelope, digest }) => ({ key: envelope.key, order: envelope.order, digest }));
  return { removed, revert: tally.change(puts, removed) };
}
