import type { Clock } from "#life";
import type { ClusterId } from "#values";

/** MemberVerdict is whether a member's endpoints may be given to clients.
 *
 *      down ──a way is up──> up ──the last way goes down──> down
 *        └──a way is up, but it fell often of late──> held ──it held out──> up
 *
 *  `held` differs from `down` in nothing but its reason. */
export type MemberVerdict = "up" | "held" | "down";

export interface MemberVerdictsParts {
  readonly clock: Pick<Clock, "monotonic">;
  /** Whether a way to a member is up: the probes have damped that already, by 20 good ones in a row. */
  readonly reaches: (cluster: ClusterId) => boolean;
}

/** Falls older than this are forgotten. */
const MEMORY_MS = 120_000;
/** The second return of a member within that time waits this long; each further one twice as long, up to MOST. */
const HOLD_MS = 2000;
const MOST_HOLD_MS = 30_000;

/** MemberVerdicts makes one verdict per member out of all ways to it. Routes follow each way by itself and at once; names
 *  and the service table follow this: a member that comes and goes would otherwise take new connections along each time. */
export class MemberVerdicts {
  readonly #parts: MemberVerdictsParts;
  /** When each member fell, of late. */
  readonly #falls = new Map<ClusterId, readonly number[]>();
  readonly #since = new Map<ClusterId, { readonly reached: boolean; readonly at: number }>();
  /** Members whose return is waited for. */
  readonly #held = new Set<ClusterId>();

  constructor(parts: MemberVerdictsParts) {
    this.#parts = parts;
  }

  /** heard looks at a member again: one of its ways went up or down. */
  heard(cluster: ClusterId): void {
    const { clock, reaches } = this.#parts;
    const [now, reached] = [clock.monotonic(), reaches(cluster)];
    const before = this.#since.get(cluster);
    if (before?.reached === reached) return;
    this.#since.set(cluster, { reached, at: now });
    if (reached) {
      if (this.of(cluster) === "held") this.#held.add(cluster);
      return;
    }
    this.#held.delete(cluster);
    if (before !== undefined) this.#falls.set(cluster, [...this.#recent(cluster, now), now]);
  }

  /** of is the verdict at this moment. */
  of(cluster: ClusterId): MemberVerdict {
    const { clock, reaches } = this.#parts;
    if (!reaches(cluster)) return "down";
    const now = clock.monotonic();
    const at = this.#since.get(cluster)?.at ?? now;
    return now - at < this.#holdMs(cluster, now) ? "held" : "up";
  }

  /** released gives, once each, the members that held out: what depends on them has to be looked at again. */
  released(): readonly ClusterId[] {
    const done = [...this.#held].filter((cluster) => this.of(cluster) !== "held");
    for (const cluster of done) this.#held.delete(cluster);
    return done;
  }

  /** secondsIn is how long a member has been reached, or not; null before anything was heard of it. */
  secondsIn(cluster: ClusterId): number | null {
    const at = this.#since.get(cluster)?.at;
    return at === undefined ? null : (this.#parts.clock.monotonic() - at) / 1000;
  }

  /** The first return is not held: the probes' own damping is enough for what fell once. */
  #holdMs(cluster: ClusterId, now: number): number {
    const falls = this.#recent(cluster, now).length;
    return falls < 2 ? 0 : Math.min(MOST_HOLD_MS, HOLD_MS * 2 ** (falls - 2));
  }

  #recent(cluster: ClusterId, now: number): readonly number[] {
    return (this.#falls.get(cluster) ?? []).filter((at) => now - at < MEMORY_MS);
  }
}
