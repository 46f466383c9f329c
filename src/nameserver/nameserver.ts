import { createResponder, type Responder, type ResponderStats } from "#dns";
import { createManifestSource } from "#kube";
import { type Clock, type Log, type Room, runAll, type Trouble, Troubles } from "#life";
import type { HostPort, Ip } from "#values";
import { ImportFeed } from "./import-feed.ts";
import type { NameserverOptions, ServerPlan } from "./options.ts";

export interface NameserverDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Nameserver is the responder alone, over ServiceImports and EndpointSlices of any MCS implementation. */
export interface Nameserver extends Room {
  /** Null once every name is answered; else why not yet. */
  notReady(): string | null;
  /** Resolves when the first zone is complete and every listener answers from it. */
  readonly serving: Promise<void>;
  readonly troubles: Troubles;
  stats(): readonly ServerStats[];
}

/** ServerStats is what one responder counted, with the plan that it serves. */
export interface ServerStats {
  readonly plan: ServerPlan;
  readonly bound: readonly HostPort[];
  readonly stats: ResponderStats;
}

/** CoreDNS waits as long for its sources before it answers without them: unknown names are SERVFAIL then. */
const STARTUP_MS = 5000;

/** createNameserver makes all parts; nothing runs yet.
 *
 *    folder ──> ManifestSource ──changes──> ImportFeed ──> a Responder per group of addresses
 *
 *  Listeners are open from the start and silent until the folder was read: what arrives meanwhile waits in the kernel
 *  and is answered then, since a name that is only not yet read must not be denied. */
export function createNameserver(options: NameserverOptions, deps: NameserverDeps): Nameserver {
  const { clock, log, random } = deps;
  const troubles = new Troubles((trouble, present) => tell(log, trouble, present));
  const source = createManifestSource({ dir: options.manifests, clock, log, troubles, random });
  const servers = options.servers.map((plan) => ({ plan, responder: responderOf(plan, troubles, deps) }));
  const feed = new ImportFeed();
  const serving = Promise.withResolvers<void>();
  let complete = false;
  source.onChange((change) => {
    const changes = feed.changes(change);
    for (const { responder } of servers) responder.update(changes);
  });
  void source.synced.then(async () => {
    await Promise.all(servers.map(({ responder }) => Promise.all([responder.started, responder.applied()])));
    complete = true;
    serving.resolve();
  });
  return {
    name: "nameserver",
    troubles,
    serving: serving.promise,
    notReady: () => (complete ? null : "the manifests have not been read yet"),
    stats: () => servers.map(({ plan, responder }) => ({ plan, bound: responder.bound, stats: responder.stats() })),
    run: (signal) => runAll([source, ...servers.map(({ responder }) => responder)], signal),
  };
}

function responderOf({ listen, origin, ttl }: ServerPlan, troubles: Troubles, deps: NameserverDeps): Responder {
  const zone = { origin, ttl, serverAddresses: glueOf(listen) };
  return createResponder({ ...deps, listen, zone, troubles, holdMs: STARTUP_MS });
}

/** The zone's own name server is known by those addresses that others can reach; none where only wildcards are given. */
function glueOf(listen: readonly HostPort[]): readonly Ip[] {
  const hosts = listen.map(({ host }) => host).filter((host) => host !== "0.0.0.0" && host !== "::");
  return [...new Set(hosts)];
}

function tell(log: Log, { title, code, subject, detail, severity }: Trouble, present: boolean): void {
  const fields = { code, subject, detail };
  if (!present) log.info(`no more: ${title}`, fields);
  else if (severity === "info") log.info(`trouble: ${title}`, fields);
  else log.warn(`trouble: ${title}`, fields);
}
