import type { Log } from "#life";
import { type AuditEntry, RECOVERING } from "#store";
import type { ClusterId } from "#values";
import type { Book } from "./book.ts";

/** Members named in a message; the rest is counted. */
const NAMED = 5;

/** Recovery is the time after a restore in which the store may lack what was granted after its backup:
 *
 *     restored ──(each known member compared its chronicle with ours, or is gone)──> whole
 *        └─────────────────────(an operator accepts the loss)────────────────────────↑
 *
 *  Until then nobody joins and nothing is granted: what looks free may be somebody's. Whoever is a member publishes and
 *  speaks all the same. The members that were seen are not kept: a broker that starts again waits for all of them. */
export class Recovery {
  readonly #book: Book;
  readonly #log: Log;
  readonly #seen = new Set<ClusterId>();
  readonly #enders: (() => void)[] = [];

  constructor(book: Book, log: Log) {
    this.#book = book;
    this.#log = log;
  }

  get active(): boolean {
    return this.#book.recovering;
  }

  /** onEnd is called once, when the store is whole. */
  onEnd(ender: () => void): void {
    this.#enders.push(ender);
  }

  /** missing are the members that are waited for. */
  missing(): readonly ClusterId[] {
    if (!this.active) return [];
    return this.#book.catalogue.live().flatMap(({ cluster }) => (this.#seen.has(cluster) ? [] : [cluster]));
  }

  /** sighted notes that a member has said all that it knows. */
  sighted(cluster: ClusterId): void {
    if (!this.active) return;
    this.#seen.add(cluster);
    this.check();
  }

  /** check ends the recovery if nobody is missing: one may have come, or have turned out to be gone. */
  check(): void {
    if (this.active && this.missing().length === 0) this.#end("every known member was heard");
  }

  /** accept ends it by an operator's word: what nobody has told by now counts as never granted. */
  accept(): void {
    if (!this.active) return;
    const missing = this.missing();
    this.#end(missing.length === 0 ? "every known member was heard" : `loss accepted without ${missing.join(", ")}`);
  }

  /** begin starts it in a life of the broker: members have proven that the store was set back. */
  begin(proof: string, above = 0): void {
    const { clock, store } = this.#book;
    const id = store.id;
    const committed = this.#book.commit({ renew: { above }, ...this.#opening(`set back: ${proof}`) });
    if (!committed.ok) return;
    this.#book.reload();
    this.#seen.clear();
    this.#log.error("the store was set back behind what members hold: it is a new one from now on", {
      was: id,
      proof,
      at: new Date(clock.now()).toISOString(),
    });
  }

  /** opened is for the start of a broker: what has to be done once for a restored store. */
  opened(): void {
    if (!this.active) return;
    this.#book.commit(this.#opening("restored from a backup"));
    this.#log.warn("the store was restored: joins and grants wait for its members", { missing: this.missing() });
    this.check();
  }

  /** why is what somebody is told who asks for a grant meanwhile. */
  why(): string {
    const missing = this.missing();
    const more = missing.length > NAMED ? ` and ${missing.length - NAMED} more` : "";
    const names = `${missing.slice(0, NAMED).join(", ")}${more}`;
    return `the broker was restored from a backup and waits for ${names}: start them, evict them, or start the broker with --accept-loss`;
  }

  /** Tokens of before may have been used after the backup: none of them counts any more. */
  #opening(detail: string) {
    const at = this.#book.clock.now();
    const revoke = this.#book.store.invites().flatMap(({ id, revokedAt }) => (revokedAt === null ? [{ id, at }] : []));
    return { invites: { revoke }, audit: [this.#line("begin", detail)] };
  }

  #end(why: string): void {
    const committed = this.#book.commit({ meta: { [RECOVERING]: null }, audit: [this.#line("end", why)] });
    if (!committed.ok) return;
    this.#book.recovering = false;
    this.#log.info("joins and grants go on", { why });
    for (const ender of this.#enders) ender();
  }

  #line(what: string, detail: string): AuditEntry {
    const time = this.#book.clock.now();
    return { time, actor: "broker", action: `recovery-${what}`, subject: this.#book.store.id, outcome: "done", detail };
  }
}
