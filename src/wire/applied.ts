import type { ClusterId } from "#values";
import type { Envelope } from "./record.ts";

/** Refusal is a record that was not believed: which, and why. `code` is stable: it becomes a trouble and an audit line. */
export interface Refusal {
  readonly code:
    | "invalid"
    | "unsigned"
    | "unknown-member"
    | "key-swap"
    | "stale"
    | "equivocation"
    | "not-owned"
    | "head-mismatch"
    | "overlap"
    | "out-of-bounds";
  readonly key: string;
  readonly message: string;
}

/** Applied is what a batch did. Nothing that is in `refusals` has changed anything. */
export interface Applied {
  /** Records now in force that were not before, in an order that can be replayed. */
  readonly accepted: Envelope[];
  readonly removed: string[];
  readonly refusals: Refusal[];
  /** What changed, for those who compile from it. */
  readonly exports: Set<string>;
  readonly members: Set<ClusterId>;
  /** Whether prefixes or gateways were granted or taken back: service addresses change no route. */
  readonly grants: boolean;
  /** Members whose records did not add up to their head: ask for their snapshot. */
  readonly mismatched: Set<ClusterId>;
}

/** Draft is what a batch has done so far. */
export type Draft = { -readonly [K in keyof Applied]: Applied[K] };

export function emptyDraft(): Draft {
  return {
    accepted: [],
    removed: [],
    refusals: [],
    exports: new Set(),
    members: new Set(),
    grants: false,
    mismatched: new Set(),
  };
}
