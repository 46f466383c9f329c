import type { BrokerKeys } from "#identity";
import { fingerprintOf } from "#identity";
import { Ipam } from "#ipam";
import type { Clock, Log } from "#life";
import { type DataLock, openSqliteStore, type SqliteStoreOptions, type Store } from "#store";
import { type Cidr, err, type Millis, ok, type Result } from "#values";
import { Authority } from "./authority.ts";
import { Book } from "./book.ts";

export interface OpenBookOptions {
  readonly lock: DataLock;
  readonly keys: BrokerKeys;
  readonly supernets: readonly Cidr[];
  readonly quarantineMs: Millis;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk?: SqliteStoreOptions["disk"] | undefined;
}

/** openBook opens the store in a data folder that is locked, and refuses what does not belong to it. */
export function openBook(options: OpenBookOptions): Result<Book> {
  const { lock, keys, supernets, quarantineMs, clock, log, disk } = options;
  const store = openSqliteStore({ dir: lock.dir, clock, log, lock, ...(disk === undefined ? {} : { disk }) });
  if (!store.ok) return store;
  const fixed = fix(store.value, keys, supernets);
  if (!fixed.ok) {
    store.value.close();
    return fixed;
  }
  const authority = new Authority(keys.allocationKey, store.value);
  const ipam = new Ipam({ supernets, quarantineMs });
  return ok(new Book({ store: store.value, ipam, authority, clock, log }));
}

/** What the first start fixes: members hold addresses of the supernet and believe these keys and no others. */
function fix(store: Store, keys: BrokerKeys, supernets: readonly Cidr[]): Result<void> {
  const now = {
    supernets: supernets.join(","),
    "allocation-key": fingerprintOf(keys.allocationPublicKey),
    authority: keys.fingerprint,
  };
  const before = { supernets: store.meta("supernets"), key: store.meta("allocation-key"), ca: store.meta("authority") };
  const other = (had: string | null, has: string): boolean => had !== null && had !== has;
  if (other(before.supernets, now.supernets))
    return err(`--supernet is fixed at ${before.supernets} since the first start, and cannot become ${now.supernets}`);
  const remedy = "restore the keys and the store from one backup";
  if (other(before.key, now["allocation-key"]))
    return err(
      `the store was signed by allocation key ${before.key}, but allocation.key is ${now["allocation-key"]}: ${remedy}`,
    );
  if (other(before.ca, now.authority))
    return err(`the store belongs to authority ${before.ca}, but ca.crt is ${now.authority}: ${remedy}`);
  if (before.supernets !== null && before.key !== null && before.ca !== null) return ok(undefined);
  const committed = store.commit({ meta: now });
  return committed.ok ? ok(undefined) : err(committed.error.message);
}
