import type { Clock, Log, Room } from "#life";
import type { GrantEntry } from "#wire";
import type { Book } from "./book.ts";

const PERIOD_MS = 30_000;
/** Most prefixes freed at a time: a release is signed and sent to everybody. */
const BATCH = 256;

/** createHousekeeping frees what has rested in quarantine, and sends to rest the addresses of services that nobody
 *  exports any more: they wait there for a re-export, and go to others only after the quarantine. */
export function createHousekeeping(book: Book, clock: Clock, log: Log): Room {
  return {
    name: "housekeeping",
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(PERIOD_MS, signal).catch(() => {});
        if (signal.aborted) return;
        freeExpired(book, log);
        restUnused(book, log);
      }
    },
  };
}

/** freeExpired deletes what has rested long enough; only now is a service's address taken back from its name. */
export function freeExpired(book: Book, log: Log): void {
  const forget = book.ipam.expired(book.clock.now()).slice(0, BATCH);
  if (forget.length === 0) return;
  const grants = forget
    .filter(({ kind }) => kind === "service" || kind === "reserved")
    .map(({ prefix }): GrantEntry => ({ kind: "release", prefix }));
  const committed = book.write({ grants, forget });
  if (!committed.ok) log.warn("cannot free what rested in quarantine", { reason: committed.error.message });
}

/** restUnused sends the address of every name that nobody exports to rest. */
export function restUnused(book: Book, log: Log): void {
  const exported = new Set(book.catalogue.live().flatMap((member) => [...member.exports.keys()]));
  const unused = [...book.catalogue.ledger.services().keys()].filter((key) => !exported.has(key)).slice(0, BATCH);
  const allocations = unused.flatMap((key) => {
    const [namespace, name] = key.split("/");
    return book.ipam.proposeRelease(
      { namespace, name } as Parameters<typeof book.ipam.proposeRelease>[0],
      book.clock.now(),
    );
  });
  if (allocations.length === 0) return;
  const committed = book.write({ allocations });
  if (!committed.ok) log.warn("cannot rest the addresses of unused names", { reason: committed.error.message });
}
