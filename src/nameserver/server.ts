import { createResponder, createWatchShare, type Responder, type WatchShare, type ZoneChange } from "#dns";
import type { Clock, Log, Troubles } from "#life";
import { familyOf, formatHostPort, type HostPort, type Ip } from "#values";
import type { ServerPlan } from "./options.ts";

/** Server is one responder of a nameserver, and what it counts. */
export interface Server {
  readonly plan: ServerPlan;
  readonly responder: Responder;
  readonly watch: WatchShare | undefined;
  /** update passes changes on, less what the plan leaves out. */
  update(changes: readonly ZoneChange[]): void;
}

export interface ServerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly troubles: Troubles;
  readonly random: () => number;
}

/** A zone that is in no query, for a server that refuses everything: its access list lets nobody through. */
const NO_ZONE = "invalid";
const REFUSE_ALL = [{ action: "block", zones: [], types: [], nets: [] }] as const;

/** createServer makes a responder; nothing runs yet. */
export function createServer(plan: ServerPlan, deps: ServerDeps, holders: readonly Server[] = []): Server {
  const { listen, origins, endpoints, startupMs: holdMs, tcp } = plan;
  const [origin = NO_ZONE, ...moreOrigins] = origins;
  const acl = origins.length === 0 ? REFUSE_ALL : plan.acl;
  const log = plan.log.length > 0 || plan.errors !== null;
  const watch = createWatchShare({ listeners: listen.length, origins: origins.length, acl, tally: plan.metrics, log });
  const zone = { origin, moreOrigins, ttl: plan.ttl, serverAddresses: glueOf(listen) };
  const adopt = holders.flatMap(({ responder }) => responder.sockets());
  const watched = watch === undefined ? {} : { watch };
  const packets = { udpSize: plan.bufsize };
  const responder = createResponder({ ...deps, listen, zone, tcp, packets, holdMs, adopt, ...watched });
  return {
    plan,
    responder,
    watch,
    update: (changes) => responder.update(endpoints ? changes : changes.map(withoutEndpoints)),
  };
}

/** noendpoints: a headless service without endpoints does not exist. */
function withoutEndpoints(change: ZoneChange): ZoneChange {
  return change.kind === "service" ? { kind: "service", service: { ...change.service, endpoints: [] } } : change;
}

/** The zone's own name server is known by those addresses that others can reach; none where only wildcards are given. */
function glueOf(listen: readonly HostPort[]): readonly Ip[] {
  const hosts = listen.map(({ host }) => host).filter((host) => host !== "0.0.0.0" && host !== "::");
  return [...new Set(hosts)];
}

/** serverLabel is the listener as CoreDNS's metrics call it: `dns://:53`, or `dns://192.0.2.1:53` where it was bound. */
export function serverLabel({ anyAddress }: ServerPlan, at: HostPort): string {
  return `dns://${anyAddress ? `:${at.port}` : formatHostPort(at)}`;
}

/** familyLabel is the address family as CoreDNS's metrics number it. */
export function familyLabel(at: HostPort): "1" | "2" {
  return familyOf(at.host) === 4 ? "1" : "2";
}
