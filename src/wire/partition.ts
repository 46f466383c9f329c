import type { ClusterId } from "#values";
import type { Candidate } from "./candidate.ts";

export type HeadCandidate = Extract<Candidate, { kind: "head" }>;
export type OwnedCandidate = Extract<Candidate, { kind: "export" | "nodes" }>;
export type SingleCandidate = Exclude<Candidate, HeadCandidate | OwnedCandidate>;

export interface Parts {
  /** In the order in which they may depend on each other: grants by number, ends, members, gateways. */
  readonly singles: readonly SingleCandidate[];
  readonly heads: readonly HeadCandidate[];
  /** What stands under each member's head. */
  readonly owned: ReadonlyMap<ClusterId, readonly OwnedCandidate[]>;
}

const RANK = { grant: 0, eviction: 1, leave: 1, member: 2, gateway: 3 } as const;

/** partition sorts a batch into what is believed by itself and what is believed by its head. */
export function partition(candidates: readonly Candidate[]): Parts {
  const singles: SingleCandidate[] = [];
  const heads: HeadCandidate[] = [];
  const owned = new Map<ClusterId, OwnedCandidate[]>();
  for (const candidate of candidates) {
    if (candidate.kind === "head") heads.push(candidate);
    else if (candidate.kind !== "export" && candidate.kind !== "nodes") singles.push(candidate);
    else {
      const mine = owned.get(candidate.at.cluster);
      if (mine === undefined) owned.set(candidate.at.cluster, [candidate]);
      else mine.push(candidate);
    }
  }
  return { singles: singles.sort((a, b) => RANK[a.kind] - RANK[b.kind] || byNumber(a, b)), heads, owned };
}

function byNumber(a: Candidate, b: Candidate): number {
  return a.kind === "grant" && b.kind === "grant" ? a.body.number - b.body.number : 0;
}
