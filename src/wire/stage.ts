import type { ClusterId } from "#values";
import type { Candidate } from "./candidate.ts";
import type { Order } from "./record.ts";
import type { Tally } from "./tally.ts";

/** stage puts a batch into a tally and tells how to take it back. */
export function stage(
  tally: Tally,
  owned: readonly Candidate[],
  cluster: ClusterId,
  removals: readonly string[],
  snapshot: boolean,
): { readonly removed: readonly string[]; revert(): void } {
  const before = new Map<string, { readonly order: Order; readonly digest: string } | undefined>();
  const remember = (key: string): void => {
    if (!before.has(key)) before.set(key, tally.get(key));
  };
  const present = new Set(owned.map((candidate) => candidate.envelope.key));
  const gone = snapshot
    ? [...tally.keys()].filter((key) => !present.has(key))
    : removals.filter((key) => key.split("/")[1] === cluster);
  const removed = gone.filter((key) => tally.get(key) !== undefined && !present.has(key));
  for (const key of removed) {
    remember(key);
    tally.remove(key);
  }
  for (const { envelope, digest } of owned) {
    remember(envelope.key);
    tally.put(envelope.key, envelope.order, digest);
  }
  const revert = (): void => {
    for (const [key, entry] of before) {
      if (entry === undefined) tally.remove(key);
      else tally.put(key, entry.order, entry.digest);
    }
  };
  return { removed, revert };
}
