import type { Clock, Log, Room } from "#life";
import type { Cidr } from "#values";
import type { GrantEntry } from "#wire";
import type { Book } from "./book.ts";
import { compactGrants } from "./compact.ts";
import type { Presence } from "./presence.ts";
import type { Refusals } from "./refusals.ts";
import { addressesFor } from "./service-addresses.ts";

const PERIOD_MS = 30_000;
/** Most prefixes freed or granted at a time: what is granted is signed and sent to everybody. */
const BATCH = 256;

export interface HousekeepingParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly refusals: readonly Refusals[];
  readonly presence: Pick<Presence, "look">;
}

/** createHousekeeping frees what has rested in quarantine, and sends to rest the addresses of services that nobody
 *  exports any more: they wait there for a re-export, and go to others only after the quarantine. Names that found no
 *  address free are tried again. */
export function createHousekeeping(book: Book, { clock, log, refusals, presence }: HousekeepingParts): Room {
  return {
    name: "housekeeping",
    async run(signal) {
      grantPending(book, log); // what a crash left without
      while (!signal.aborted) {
        await clock.sleep(PERIOD_MS, signal).catch(() => {});
        if (signal.aborted) return;
        // A restored store may not know who has taken back what, or given it a name.
        if (!book.recovering) await tidy(book, log);
        presence.look();
        for (const kind of refusals) kind.summarize();
      }
    },
  };
}

async function tidy(book: Book, log: Log): Promise<void> {
  freeExpired(book, log);
  restUnused(book, log);
  grantPending(book, log);
  await compactGrants(book, log);
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
  const exported = new Set<string>();
  for (const { exports } of book.catalogue.live()) for (const key of exports.keys()) exported.add(key);
  const now = book.clock.now();
  const unused: Cidr[] = [];
  for (const [key, address] of book.catalogue.ledger.services()) {
    const allocation = exported.has(key) ? undefined : book.ipam.whois(address);
    if (allocation?.state === "live") unused.push(allocation.prefix);
    if (unused.length === BATCH) break;
  }
  const allocations = unused.flatMap((prefix) => book.ipam.proposeRelease({ prefix }, now));
  if (allocations.length === 0) return;
  const committed = book.write({ allocations });
  if (!committed.ok) log.warn("cannot rest the addresses of unused names", { reason: committed.error.message });
}

/** grantPending gives addresses to exports for which there was none when they came. */
export function grantPending(book: Book, log: Log): void {
  for (const { cluster, exports } of book.catalogue.live()) {
    const without: string[] = [];
    for (const [key, { type }] of exports) {
      const pending = type === "ClusterSetIP" && book.catalogue.ledger.serviceAddress(key) === undefined;
      if (pending && without.push(key) === BATCH) break;
    }
    const { grants, allocations } = addressesFor(book, cluster, without);
    if (allocations.length === 0) continue;
    const committed = book.write({ grants, allocations });
    if (!committed.ok) log.warn("cannot grant addresses that were pending", { reason: committed.error.message });
  }
}
