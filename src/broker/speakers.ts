import type { Clock } from "#life";
import { type ClusterId, err, type NodeName, ok, type Result } from "#values";
import type { Book } from "./book.ts";

/** How long after its speaker's session ended a member waits before another gateway may speak. */
const HANDOVER_MS = 5000;

/** Speakers grants epochs: at any time one gateway of a member publishes its exports, and a restart of the broker
 *  changes nobody. The grant is on disk before it is told; no lease, no clock of the wall decides. */
export class Speakers {
  readonly #book: Book;
  readonly #clock: Clock;
  readonly #goneSince = new Map<ClusterId, number>();

  constructor(book: Book, clock: Clock) {
    this.#book = book;
    this.#clock = clock;
  }

  /** holds is the epoch that a gateway speaks under; null where it is not the speaker. */
  holds(cluster: ClusterId, gateway: NodeName): number | null {
    const speaker = this.#current(cluster);
    return speaker?.gateway === gateway ? speaker.epoch : null;
  }

  /** claim gives the next epoch. Another gateway's is taken only when that one has been gone for a while. */
  claim(
    cluster: ClusterId,
    gateway: NodeName,
    isConnected: (gateway: NodeName) => boolean,
  ): Result<number, { code: string; message: string }> {
    const speaker = this.#current(cluster);
    const other = speaker?.gateway ?? null;
    if (other !== null && other !== gateway) {
      const gone = this.#goneSince.get(cluster);
      const waited = gone === undefined ? 0 : this.#clock.monotonic() - gone;
      if (isConnected(other)) return err({ code: "taken", message: `${other} speaks for ${cluster}` });
      if (gone === undefined) this.#goneSince.set(cluster, this.#clock.monotonic());
      if (waited < HANDOVER_MS) return err({ code: "wait", message: `${other} spoke for ${cluster} a moment ago` });
    }
    const head = this.#book.catalogue.members.get(cluster)?.head?.order.epoch ?? 0;
    const epoch = Math.max(speaker?.epoch ?? 0, head) + 1;
    const committed = this.#book.store.commit({ speakers: [{ cluster, epoch, gateway }] });
    if (!committed.ok) return err({ code: "unavailable", message: committed.error.message });
    this.#goneSince.delete(cluster);
    return ok(epoch);
  }

  /** release gives the epoch back: the number is never used again. */
  release(cluster: ClusterId, gateway: NodeName): Result<void, { code: string; message: string }> {
    const speaker = this.#current(cluster);
    if (speaker?.gateway !== gateway) return ok(undefined);
    const committed = this.#book.store.commit({ speakers: [{ cluster, epoch: speaker.epoch, gateway: null }] });
    return committed.ok ? ok(undefined) : err({ code: "unavailable", message: committed.error.message });
  }

  /** disconnected starts the wait after which another gateway may speak. */
  disconnected(cluster: ClusterId, gateway: NodeName): void {
    if (this.#current(cluster)?.gateway === gateway) this.#goneSince.set(cluster, this.#clock.monotonic());
  }

  connected(cluster: ClusterId, gateway: NodeName): void {
    if (this.#current(cluster)?.gateway === gateway) this.#goneSince.delete(cluster);
  }

  #current(cluster: ClusterId) {
    return this.#book.store.speakers().find((speaker) => speaker.cluster === cluster);
  }
}
