import type { KeyObject } from "node:crypto";
import type { ClusterId } from "#values";
import type { MemberBody } from "./bodies.ts";
import type { Candidate } from "./candidate.ts";
import { isSealedBy } from "./signature.ts";

type End = Extract<Candidate, { kind: "eviction" | "leave" }>;

/** Ends are the leaves and evictions that arrived before the membership that they end, as they do in every snapshot.
 *  They outlive what they end: a member that went does not come back with its old member record. */
export class Ends {
  readonly #held = new Map<string, End>();

  /** keep takes an end whose membership is not known; that is no fault of it. */
  keep(end: End): undefined {
    this.#held.set(placeOf(end.kind, end.body), end);
    return undefined;
  }

  /** of is how a membership has ended; null where it has not. A leave counts only if the member's key signed it. */
  of(body: MemberBody, key: KeyObject): "left" | "evicted" | null {
    const names = (end: End | undefined): end is End => end?.body.uid === body.uid;
    if (names(this.#held.get(placeOf("eviction", body)))) return "evicted";
    const leave = this.#held.get(placeOf("leave", body));
    return names(leave) && isSealedBy(key, leave.envelope) ? "left" : null;
  }
}

function placeOf(kind: End["kind"], { cluster, generation }: { cluster: ClusterId; generation: number }): string {
  return `${kind}/${cluster}/${generation}`;
}
