import type { Clock } from "#life";
import { type ClusterId, err, type NodeName, ok, type Result } from "#values";
import type { Book } from "./book.ts";

/** How long after its speaker's session ended a member waits before another gateway may speak. */
const HANDOVER_MS = 5000;

/** Far beyond any honest count, and far below where numbers stop being exact. */
const MOST_EPOCH = 2 ** 48;

interface SpeakerFault {
  readonly code: string;
  readonly message: string;
}

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
    const speaker = this.#book.speakerOf(cluster);
    return speaker?.gateway === gateway ? speaker.epoch : null;
  }

  /** claim gives the next epoch, above what the gateway has seen of its member: a restored store may know less. Another gateway's is taken only when that one has been gone for a while. */
  claim(
    cluster: ClusterId,
    gateway: NodeName,
    isConnected: (gateway: NodeName) => boolean,
    above = 0,
  ): Result<number, SpeakerFault> {
    const speaker = this.#book.speakerOf(cluster);
    const other = speaker?.gateway ?? null;
    if (other !== null && other !== gateway) {
      if (isConnected(other)) return err({ code: "taken", message: `${other} speaks for ${cluster}` });
      if (!this.#waited(cluster)) return err({ code: "wait", message: `${other} spoke for ${cluster} a moment ago` });
    }
    const head = this.#book.catalogue.members.get(cluster)?.head?.order.epoch ?? 0;
    const epoch = Math.max(speaker?.epoch ?? 0, head, above) + 1;
    if (epoch > MOST_EPOCH) return err({ code: "invalid", message: `there is no epoch above ${MOST_EPOCH}` });
    const committed = this.#book.commit({ speakers: [{ cluster, epoch, gateway }] });
    if (!committed.ok) return err({ code: "unavailable", message: committed.error.message });
    this.#goneSince.delete(cluster);
    return ok(epoch);
  }

  /** release gives the epoch back: the number is never used again. */
  release(cluster: ClusterId, gateway: NodeName): Result<void, SpeakerFault> {
    const speaker = this.#book.speakerOf(cluster);
    if (speaker?.gateway !== gateway) return ok(undefined);
    const committed = this.#book.commit({ speakers: [{ ...speaker, gateway: null }] });
    if (!committed.ok) return err({ code: "unavailable", message: committed.error.message });
    this.#goneSince.delete(cluster);
    return ok(undefined);
  }

  /** disconnected starts the wait after which another gateway may speak. */
  disconnected(cluster: ClusterId, gateway: NodeName): void {
    if (this.#book.speakerOf(cluster)?.gateway === gateway) this.#goneSince.set(cluster, this.#clock.monotonic());
  }

  connected(cluster: ClusterId, gateway: NodeName): void {
    if (this.#book.speakerOf(cluster)?.gateway === gateway) this.#goneSince.delete(cluster);
  }

  /** After a restart of the broker nobody has seen the speaker go: the wait begins with the first that asks. */
  #waited(cluster: ClusterId): boolean {
    const now = this.#clock.monotonic();
    const gone = this.#goneSince.get(cluster) ?? now;
    this.#goneSince.set(cluster, gone);
    return now - gone >= HANDOVER_MS;
  }
}
