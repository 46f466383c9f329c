import { setImmediate as nextTurn } from "node:timers/promises";
import type { Log } from "#life";
import { type Candidate, examine } from "#wire";
import type { Book } from "./book.ts";

/** Entries that mean nothing any more, before all is said anew: what a newcomer reads in vain. */
const MOST_DEAD = 4096;

/** compactGrants replaces all grants by a base that says what is live, once most of them say what is over. Signing it
 *  takes a while, so it goes part by part beside other work; whatever is granted meanwhile puts it off. */
export async function compactGrants(book: Book, log: Log, mostDead = MOST_DEAD): Promise<boolean> {
  const { grants } = book.catalogue;
  const live = [...grants.ledger.live()];
  const dead = grants.entries - live.length;
  if (dead < mostDead || dead < live.length) return false;
  const first = book.nextGrant;
  const base: Candidate[] = [];
  for (const envelope of book.authority.base(live, first)) {
    const candidate = examine(envelope, book.authority.verifier);
    if (!candidate.ok) throw new Error(`the broker made a wrong base: ${candidate.error}`);
    base.push(candidate.value);
    await nextTurn();
  }
  const done = book.rebase(base, first);
  if (done === undefined) return false;
  if (done.ok) log.info("grants were said anew", { live: live.length, dropped: dead });
  else log.warn("grants cannot be said anew", { reason: done.error.message });
  return done.ok;
}
