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
    this.#held.set(placeOf(end.kind, end.body.cluster), end);
    return undefined;
  }

  /** of is how a membership has ended; null where it has not. A leave counts only if the member's key signed it. */
  of({ cluster, uid, generation }: MemberBody, key: KeyObject): "left" | "evicted" | null {
    const names = (end: End | undefined): end is End => end?.body.uid === uid && end.body.generation === generation;
    if (names(this.#held.get(placeOf("eviction", cluster)))) return "evicted";
    const leave = this.#held.get(placeOf("leave", cluster));
    return names(leave) && isSealedBy(key, leave.envelope) ? "left" : null;
  }
}

function placeOf(kind: End["kind"], cluster: ClusterId): string {
  return `${kind}/${cluster}`;
}
