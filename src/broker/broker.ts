import { createAdminHttp, type Desk, type ProcessReadings } from "#admin";
import { type BrokerKeys, loadBrokerKeys } from "#identity";
import { poolUsage } from "#ipam";
import { type Clock, type Log, type LoopDelay, type Room, runAll, type Trouble, watchLoopDelay } from "#life";
import { type DataLock, lockDataDir, type SqliteStoreOptions } from "#store";
import { createSyncServer } from "#sync";
import { type Cidr, type HostPort, type Millis, ok, type Result } from "#values";
import { auditLine } from "./audit-line.ts";
import type { Book } from "./book.ts";
import { createDesk } from "./desk.ts";
import { entitleAll } from "./entitle-later.ts";
import { createHousekeeping, grantPending } from "./housekeeping.ts";
import { Hub } from "./hub.ts";
import { openBook } from "./open-book.ts";
import { Presence } from "./presence.ts";
import { Recovery } from "./recovery.ts";
import { Refusals } from "./refusals.ts";
import { rootsIn } from "./restore.ts";
import { admitSession, type SessionParts } from "./sessions.ts";
import { Speakers } from "./speakers.ts";
import { createStoreGuard } from "./store-guard.ts";
import { createSyncPort } from "./sync-port.ts";

export interface BrokerOptions {
  readonly dataDir: string;
  readonly listen: HostPort;
  /** What join tokens carry and certificates name: `wss://HOST:PORT`. */
  readonly advertise: string;
  readonly http: HostPort | null;
  readonly supernets: readonly Cidr[];
  readonly quarantineMs: Millis;
  /** A restored store waits for no member any more. */
  readonly acceptLoss: boolean;
  readonly version: string;
  /** What stands between the store and its disk, for tests. */
  readonly disk?: SqliteStoreOptions["disk"];
}

export interface Broker extends Room {
  readonly desk: Desk;
  /** What it knows; for those of this room. */
  readonly book: Book;
  /** backup writes store, authority and allocation key to one file of mode 0600, while the broker works. */
  backup(path: string): Promise<Result<void>>;
  /** What `meridian status` shows of a broker. */
  status(): unknown;
  /** Resolves when it serves. */
  readonly ready: Promise<void>;
  /** Resolves with the port that gateways dial: the kernel's choice where --listen says 0. */
  readonly port: Promise<number>;
}

/** openBroker reads or makes keys and store, and refuses what does not fit them. Nothing is listening yet. The folder
 *  is locked first: two brokers that both find it empty would make two authorities. */
export function openBroker(options: BrokerOptions, clock: Clock, log: Log): Result<Broker> {
  const lock = lockDataDir(options.dataDir);
  if (!lock.ok) return lock;
  const opened = openLocked(options, lock.value, clock, log);
  if (!opened.ok) lock.value[Symbol.dispose]();
  return opened.ok ? ok(compose(options, opened.value, log)) : opened;
}

function openLocked(options: BrokerOptions, lock: DataLock, clock: Clock, log: Log): Result<Opened> {
  const { supernets, quarantineMs, disk } = options;
  const keys = loadBrokerKeys(lock.dir, hostsOf(options), clock.now());
  if (!keys.ok) return keys;
  const book = openBook({ lock, keys: keys.value, supernets, quarantineMs, clock, log, disk });
  return book.ok ? ok({ keys: keys.value, book: book.value, lock }) : book;
}

interface Opened {
  readonly keys: BrokerKeys;
  readonly book: Book;
  readonly lock: DataLock;
}

function compose(options: BrokerOptions, { keys, book, lock }: Opened, log: Log): Broker {
  const { clock } = book;
  const { supernets, version, advertise, listen } = options;
  const sessions = sessionParts(book, supernets, log);
  const { hub, recovery, presence, refusals, guesses } = sessions;
  const desk = createDesk({ book, hub, recovery, url: advertise, fingerprint: keys.fingerprint });
  const port = createSyncPort(listen, keys, log);
  const sync = createSyncServer({
    server: port.server,
    version,
    log,
    admit: (guest) => admitSession(sessions, guest),
    hold: (leave) => book.store.whenDurable(leave),
  });
  let loop: LoopDelay | null = null;
  const readings = {
    pools: () => poolUsage(supernets, book.ipam.list()),
    auditRows: () => book.store.auditRows(),
    loop: () => ({ p99Seconds: loop?.p99Seconds() ?? 0, maxSeconds: loop?.maxSeconds() ?? 0 }),
  };
  const http = adminHttp(options, { keys, desk, clock, log, readings });
  const rooms: Room[] = [
    createStoreGuard(book),
    port,
    sync,
    createHousekeeping(book, { clock, log, presence, refusals: [refusals, guesses] }),
    ...(http === null ? [] : [http]),
  ];
  return {
    name: "broker",
    desk,
    book,
    backup: (path) => backUp(book, lock.dir, path),
    status: () => statusOf(options, book, recovery, hub, loop),
    ready: Promise.all([port.opened, http?.started]).then(() => undefined),
    port: port.opened,
    async run(signal) {
      loop = watchLoopDelay();
      recovery.onEnd(() => endRecovery(sessions));
      recovery.opened();
      if (options.acceptLoss) recovery.accept();
      try {
        await runAll(rooms, signal);
      } finally {
        book.store.close();
        lock[Symbol.dispose]();
      }
    },
  };
}

/** What sessions share. */
function sessionParts(book: Book, supernets: readonly Cidr[], log: Log): SessionParts {
  const { clock } = book;
  const hub = new Hub(book);
  const [refusals, guesses] = [new Refusals(book, clock), new Refusals(book, clock)];
  const watching = { recovery: new Recovery(book, log), presence: new Presence(book, hub, clock) };
  return { book, hub, ...watching, speakers: new Speakers(book, clock), refusals, guesses, supernets, clock, log };
}

/** All that waited: gateways for their prefixes, names for their addresses. */
function endRecovery(parts: SessionParts): void {
  entitleAll(parts);
  grantPending(parts.book, parts.log);
}

function adminHttp(
  { http, version }: BrokerOptions,
  { keys, readings, ...rest }: { keys: BrokerKeys; desk: Desk; clock: Clock; log: Log; readings: ProcessReadings },
): ReturnType<typeof createAdminHttp> | null {
  if (http === null) return null;
  const tls = { key: keys.serverKey.export({ format: "pem", type: "pkcs8" }).toString(), cert: keys.chainPem };
  return createAdminHttp({ listen: http, token: keys.adminToken, tls, version, readings, ...rest });
}

async function backUp(book: Book, dir: string, path: string): Promise<Result<void>> {
  const roots = rootsIn(dir);
  if (!roots.ok) return roots;
  const written = await book.store.backup(path, roots.value);
  if (written.ok) {
    book.commit({ audit: [auditLine(book, { action: "backup", subject: path, detail: "", by: "admin.sock" })] });
  }
  return written;
}

/** What the operator of a restored broker has to know: whom it waits for. */
function troublesOf(recovery: Recovery): readonly Trouble[] {
  if (!recovery.active) return [];
  const title = "A restored broker waits for its members";
  return [{ code: "broker-recovering", severity: "warning", title, subject: "", detail: recovery.why() }];
}

/** A broker has no peers or names of its own: those fields are empty, so that one reader serves all roles. */
function statusOf(
  { version, advertise }: BrokerOptions,
  book: Book,
  recovery: Recovery,
  hub: Hub,
  loop: LoopDelay | null,
): unknown {
  return {
    role: "broker",
    cluster: null,
    name: null,
    version,
    revision: book.store.revision(),
    stateAgeSeconds: 0,
    broker: { url: advertise, connected: true },
    dataPlane: { mode: "none", implementation: null, version: null },
    members: book.catalogue.live().length,
    sessions: hub.readers().length,
    peers: [],
    exports: [],
    imports: [],
    troubles: troublesOf(recovery),
    loop: { maxDelaySeconds: loop?.maxSeconds() ?? 0, p99DelaySeconds: loop?.p99Seconds() ?? 0 },
  };
}

function hostsOf({ advertise, listen }: BrokerOptions): readonly string[] {
  const { hostname } = new URL(advertise);
  return [...new Set([hostname.replace(/^\[|\]$/g, ""), listen.host, "localhost", "127.0.0.1"])].filter(
    (host) => host !== "0.0.0.0" && host !== "::",
  );
}
