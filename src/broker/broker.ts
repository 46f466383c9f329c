import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { createAdminHttp, type Desk } from "#admin";
import { type BrokerKeys, loadBrokerKeys } from "#identity";
import { Ipam } from "#ipam";
import { aborted, type Clock, type Log, type Room, runAll } from "#life";
import { openSqliteStore, type Store } from "#store";
import { createSyncServer } from "#sync";
import { type Cidr, err, formatHostPort, type HostPort, type Millis, ok, type Result } from "#values";
import { Authority } from "./authority.ts";
import { Book } from "./book.ts";
import { createDesk } from "./desk.ts";
import { createHousekeeping } from "./housekeeping.ts";
import { Hub } from "./hub.ts";
import { admitSession } from "./sessions.ts";
import { Speakers } from "./speakers.ts";

export interface BrokerOptions {
  readonly dataDir: string;
  readonly listen: HostPort;
  /** What join tokens carry and certificates name: `wss://HOST:PORT`. */
  readonly advertise: string;
  readonly http: HostPort | null;
  readonly supernets: readonly Cidr[];
  readonly quarantineMs: Millis;
  readonly version: string;
}

export interface Broker extends Room {
  readonly desk: Desk;
  /** What `meridian status` shows of a broker. */
  status(): unknown;
  readonly ready: Promise<void>;
}

/** openBroker reads or makes keys and store, and refuses what does not fit them. Nothing is listening yet. */
export function openBroker(options: BrokerOptions, clock: Clock, log: Log): Result<Broker> {
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  const keys = loadBrokerKeys(options.dataDir, hostsOf(options), clock.now());
  if (!keys.ok) return keys;
  const store = openSqliteStore({ dir: options.dataDir, clock, log });
  if (!store.ok) return store;
  const fixed = fixSupernets(store.value, options.supernets);
  if (!fixed.ok) {
    store.value.close();
    return fixed;
  }
  const authority = new Authority(keys.value.allocationKey, store.value.generation);
  const ipam = new Ipam({ supernets: options.supernets, quarantineMs: options.quarantineMs });
  const book = new Book({ store: store.value, ipam, authority, clock, log });
  return ok(compose(options, keys.value, book, log));
}

/** The supernet is fixed by the first start: addresses are in use all over the clusterset. */
function fixSupernets(store: Store, supernets: readonly Cidr[]): Result<void> {
  const before = store.meta("supernets");
  const now = supernets.join(",");
  if (before === now) return ok(undefined);
  if (before !== null) return err(`--supernet is fixed at ${before} since the first start, and cannot become ${now}`);
  const committed = store.commit({ meta: { supernets: now } });
  return committed.ok ? ok(undefined) : err(committed.error.message);
}

function compose(options: BrokerOptions, keys: BrokerKeys, book: Book, log: Log): Broker {
  const { clock } = book;
  const hub = new Hub(book);
  const speakers = new Speakers(book, clock);
  const { supernets, version } = options;
  const desk = createDesk({ book, hub, url: options.advertise, fingerprint: keys.fingerprint, log });
  const server = createServer({
    key: keys.serverKey.export({ format: "pem", type: "pkcs8" }),
    cert: keys.chainPem,
    minVersion: "TLSv1.3",
  });
  const tls = { key: keys.serverKey.export({ format: "pem", type: "pkcs8" }).toString(), cert: keys.chainPem };
  const http =
    options.http === null
      ? null
      : createAdminHttp({ listen: options.http, desk, token: keys.adminToken, tls, version, clock, log });
  const sync = createSyncServer({
    server,
    version,
    clock,
    log,
    admit: (guest) => admitSession({ book, hub, speakers, supernets, clock, log }, guest),
  });
  const ready = Promise.withResolvers<void>();
  const rooms: Room[] = [
    storeGuard(book),
    listening(server, options.listen, ready.resolve),
    sync,
    createHousekeeping(book, clock, log),
    ...(http === null ? [] : [http]),
  ];
  return {
    name: "broker",
    desk,
    status: () => statusOf(options, book, hub),
    ready: Promise.all([ready.promise, http?.started]).then(() => undefined),
    async run(signal) {
      try {
        await runAll(rooms, signal);
      } finally {
        book.store.close();
      }
    },
  };
}

/** A broker has no peers or names of its own: those fields are empty, so that one reader serves all roles. */
function statusOf({ version, advertise }: BrokerOptions, book: Book, hub: Hub): unknown {
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
    troubles: [],
    loop: { maxDelaySeconds: 0, p99DelaySeconds: 0 },
  };
}

/** storeGuard ends the broker when the disk has failed: what the kernel holds of the file cannot be trusted (F17). */
function storeGuard(book: Book): Room {
  return {
    name: "store",
    async run(signal) {
      const message = await Promise.race([book.failed, aborted(signal).then(() => null)]);
      if (message !== null) throw new Error(`the store failed, and nothing more is written: ${message}`);
    },
  };
}

/** listening keeps a server's port open until the signal aborts. */
function listening(server: Server, { host, port }: HostPort, ready: () => void): Room {
  return {
    name: "sync-port",
    async run(signal) {
      server.on("request", (_request, response) => response.writeHead(404).end());
      server.on("tlsClientError", () => {}); // strangers: nothing to say to them, and no log to fill
      server.requestTimeout = 10_000;
      server.headersTimeout = 10_000;
      await new Promise<void>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => reject(listenFault(error, { host, port })));
        server.listen({ host, port }, resolve);
      });
      ready();
      await aborted(signal);
      server.close();
      server.closeAllConnections();
    },
  };
}

/** listenFault says which flag to change when a port cannot be had. */
function listenFault(error: NodeJS.ErrnoException, at: HostPort): Error {
  const why = error.code === "EADDRINUSE" ? "is taken" : error.message;
  return new Error(`--listen ${formatHostPort(at)} ${why}`);
}

function hostsOf({ advertise, listen }: BrokerOptions): readonly string[] {
  const { hostname } = new URL(advertise);
  return [...new Set([hostname.replace(/^\[|\]$/g, ""), listen.host, "localhost", "127.0.0.1"])].filter(
    (host) => host !== "0.0.0.0" && host !== "::",
  );
}
