import { slices } from "#life";
import type { ClusterId } from "#values";
import {
  type Candidate,
  compareOrder,
  type Envelope,
  examine,
  inChronicle,
  MAX_MARKS,
  type Mark,
  parseKey,
  underHead,
} from "#wire";
import type { Book } from "./book.ts";

/** Most marks of one gateway, and most that it may tell: what no honest member can exceed. */
const MAX_KNOWN = 200_000;
const MAX_TOLD_BYTES = 64 << 20;

/** Index is what a gateway said that it knows, by key. */
export type Index = ReadonlyMap<string, Mark>;

/** Comparison is one gateway's chronicle beside ours at the begin of its session. What it has and we have not, or has
 *  newer, is wanted, whoever's it is; what it lacks comes with its first state. Its own member's head is left out: that
 *  is for the speaker to say, under an epoch that was granted. */
export class Comparison {
  readonly #book: Book;
  readonly #cluster: ClusterId;
  readonly #marks = new Map<string, Mark>();
  #wanted: string[] = [];
  #told: Envelope[] = [];
  #toldBytes = 0;
  #state: "hearing" | "whole" = "hearing";

  constructor(book: Book, cluster: ClusterId) {
    this.#book = book;
    this.#cluster = cluster;
  }

  /** known takes marks; false where there are more than any member could have. */
  known(marks: readonly Mark[], more: boolean): boolean {
    if (this.#state !== "hearing") return false;
    for (const mark of marks) this.#marks.set(mark.key, mark);
    if (more) return this.#marks.size <= MAX_KNOWN;
    this.#state = "whole";
    this.#wanted = [...this.#marks.values()].filter((mark) => this.#isNews(mark)).map(({ key }) => key);
    return true;
  }

  /** index is what the gateway need not be sent; null where it has not compared. */
  index(): Index | null {
    return this.#state === "whole" ? this.#marks : null;
  }

  /** want gives the next keys to ask for; empty when there are no more. */
  want(): readonly string[] {
    return this.#wanted.splice(0, MAX_MARKS);
  }

  /** tell collects what was asked for. Undefined until the last has come; `too-much` ends the session. */
  tell(put: readonly Envelope[], more: boolean): readonly Envelope[] | "too-much" | undefined {
    for (const { key, body } of put) this.#toldBytes += key.length + body.length;
    if (this.#toldBytes > MAX_TOLD_BYTES) return "too-much";
    this.#told.push(...put);
    if (more) return undefined;
    const told = this.#told;
    [this.#told, this.#toldBytes] = [[], 0];
    return told;
  }

  /** examined checks what was told as far as that needs nothing else, in slices beside other work. */
  async examined(told: readonly Envelope[]): Promise<readonly Candidate[]> {
    const candidates: Candidate[] = [];
    await slices(told, (envelope) => {
      const candidate = examine(envelope, this.#book.authority.verifier);
      if (candidate.ok && this.#isForUs(candidate.value)) candidates.push(candidate.value);
    });
    return candidates;
  }

  #isForUs({ kind, at }: Candidate): boolean {
    if (!inChronicle(kind) && !underHead(kind)) return false;
    return (
      kind === "grant" || !("cluster" in at) || at.cluster !== this.#cluster || !(kind === "head" || underHead(kind))
    );
  }

  #isNews({ key: text, order }: Mark): boolean {
    const key = parseKey(text);
    if (!key.ok || !inChronicle(key.value.kind)) return false;
    const { catalogue } = this.#book;
    if (key.value.kind === "grant" && catalogue.grants.isVoid(key.value.number)) return false;
    if (key.value.kind === "head") {
      const gone = catalogue.members.get(key.value.cluster)?.gone ?? null;
      if (key.value.cluster === this.#cluster || gone !== null) return false;
    }
    const held = catalogue.orderOf(text);
    return held === undefined || compareOrder(order, held) > 0;
  }
}
