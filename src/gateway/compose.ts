import { createResponder, type Responder, type SerialFloor } from "#dns";
import { createGlobalnet, systemConntrack, systemNft } from "#globalnet";
import { createManifestSource, type Live } from "#kube";
import { type Clock, type Log, type Trouble, Troubles, watchLoopDelay } from "#life";
import { createSyncClient, type SyncClient } from "#sync";
import { createTunnels, type DataPlane } from "#tunnel";
import {
  BITS,
  type Cidr,
  familyOf,
  type Ip,
  networkOf as networkPrefix,
  parseCidr,
  parseIp,
  type TunnelKey,
} from "#values";
import type { Network } from "#wire";
import { Announcer } from "./announcer.ts";
import type { Cache } from "./cache.ts";
import { type CompiledNetwork, placeOf } from "./compile-network.ts";
import { markModes, onBatch, onRefused, onSession, onVerdict, onWelcome, ownKeys } from "./events.ts";
import { createExchange, membershipRecords } from "./exchange.ts";
import { Follower } from "./follower.ts";
import { createKubernetesSide } from "./kubernetes.ts";
import { hostOf } from "./machine.ts";
import { MemberVerdicts } from "./member-verdicts.ts";
import type { Membership } from "./membership.ts";
import { type GatewayOptions, ORIGIN, TTL_SECONDS } from "./options.ts";
import { takenHere } from "./pair-modes.ts";
import { ProberSlot } from "./prober-slot.ts";
import { Reconciler } from "./reconciler.ts";
import { Speaker } from "./speaker.ts";
import type { Gateway, SessionFacts } from "./state.ts";
import { serviceOf } from "./statements.ts";
import { mayAnnounce, modesNow, networkAgain, networkNow, servingCompiler, statementsNow } from "./view.ts";
import { boundsOf } from "./welcome-fault.ts";

/** After a start queries wait so long for the names, rather than hear that there are none. */
const HOLD_MS = 1500;

export interface GatewayDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Found is what was read before anything is made. */
export interface Found {
  readonly dataPlane: DataPlane;
  readonly membership: Membership;
  readonly cache: Cache;
  readonly tunnelKey: TunnelKey;
  /** This host until it boots again. */
  readonly host: string | null;
  /** What a live cluster needs; null where there is none. */
  readonly live: Live | null;
  readonly routes: readonly { readonly cidr: Cidr; readonly what: string }[];
}

/** compose makes all parts of a gateway; nothing runs yet. `fatal` hears why the daemon must end. */
export function compose(
  options: GatewayOptions,
  deps: GatewayDeps,
  found: Found,
  fatal: (reason: string) => void,
): Gateway {
  const { clock, log, random } = deps;
  const { membership, cache, dataPlane } = found;
  const troubles = new Troubles((trouble, present) => tell(log, trouble, present));
  const follower = new Follower({ own: options.cluster, cache, verifier: () => membership.verifier(), log, troubles });
  const session = sessionFacts(cache, clock);
  follower.catalogue.bounds = boundsOf(session.supernets);
  let gateway!: Gateway;
  const self = (): Gateway => gateway;
  const client = makeClient(options, deps, found, self, fatal);
  const dir = options.manifests;
  const kubernetes = createKubernetesSide(options, found.live, { clock, log, random, troubles, self });
  const folder = dir === null ? null : createManifestSource({ dir, clock, log, troubles, random });
  const source = kubernetes?.source ?? folder;
  const voices = makeVoices(options, deps, found, client, { follower, session, troubles, self });
  const responder = makeResponder(options, deps, cache, { session, troubles });
  const prober = new ProberSlot({
    ...{ own: options.cluster, clock, log, troubles, random },
    onVerdict: (id, up) => onVerdict(gateway, id, up),
  });
  const verdicts = new MemberVerdicts({ clock, reaches: (cluster) => gateway.prober.reaches(cluster) });
  const plane = makePlane(options, deps, dataPlane, troubles);
  const reconciler = new Reconciler({
    clock,
    log,
    troubles,
    plane,
    responder,
    probe: ({ place, targets }) => prober.set(place.node, targets),
    network: () => networkAndModes(gateway),
    networkAgain: () => networkAgain(gateway),
    compiler: () => servingCompiler(gateway),
    mayAnnounce: (service) => mayAnnounce(gateway, service),
  });
  const told = { options, clock, log, troubles, membership, cache, follower, client };
  const parts = { ...told, source, kubernetes, ...voices, responder };
  gateway = { ...parts, prober, verdicts, reconciler, dataPlane, plane, loop: watchLoopDelay(), session };
  return gateway;
}

function makeResponder(
  options: GatewayOptions,
  deps: GatewayDeps,
  cache: Cache,
  { session, troubles }: Pick<Late, "session" | "troubles">,
): Responder {
  const zone = { origin: ORIGIN, ttl: TTL_SECONDS, serverAddresses: glueOf(options) };
  const from = { listen: options.dns, zone, serial: serialFloor(cache), holdMs: HOLD_MS };
  const responder = createResponder({ ...from, ...deps, troubles });
  responder.update([{ kind: "reverse", networks: session.supernets }]);
  return responder;
}

interface Late {
  readonly follower: Follower;
  readonly session: SessionFacts;
  readonly troubles: Troubles;
  /** The whole gateway, once it is composed: nothing asks before it runs. */
  readonly self: () => Gateway;
}

/** The two that sign: the speaker for the member's exports, the announcer for this gateway's own record. */
function makeVoices(
  options: GatewayOptions,
  { clock, log }: GatewayDeps,
  found: Found,
  client: SyncClient,
  { follower, session, troubles, self }: Late,
): Pick<Gateway, "speaker" | "announcer"> {
  const { membership, cache, tunnelKey } = found;
  const common = { privateKey: membership.privateKey, client, clock, log };
  const place = () => placeOf(follower.catalogue, options.cluster, options.name);
  const speaker = new Speaker({
    ...common,
    cluster: options.cluster,
    follower,
    troubles,
    keys: () => ownKeys(self()),
    canSpeak: () => session.sourceSynced && follower.synced && place() !== undefined && hasSource(troubles),
    states: () => statementsNow(self()),
    published: (keys) => self().kubernetes?.changed(keys.flatMap(serviceOf)),
  });
  const member = () => follower.catalogue.members.get(options.cluster);
  const announcer = new Announcer({
    ...common,
    options,
    tunnelKey,
    cache,
    place,
    member,
    local: () => session.machine?.nodeLocal ?? null,
    draining: () => session.drain !== "no",
    taken: takenHere(options.podCidrs, usedHere(options, found)),
    seen: () => session.seen,
  });
  return { speaker, announcer };
}

/** A folder that cannot be read says nothing, neither that an export is there nor that it is gone. */
function hasSource(troubles: Troubles): boolean {
  return !troubles.list().some(({ code }) => code === "manifests-missing");
}

function makeClient(
  options: GatewayOptions,
  { clock, log, random }: GatewayDeps,
  found: Found,
  self: () => Gateway,
  fatal: (reason: string) => void,
): SyncClient {
  const { membership, tunnelKey, cache, host } = found;
  const network = networkOf(options, found);
  const { source } = options;
  const facts = () => ({ tunnelKey, network, source, membership: membershipRecords(options.cluster, cache), host });
  const endIf = (reason: string | undefined): void => {
    if (reason !== undefined) fatal(reason);
  };
  return createSyncClient({
    urls: () => membership.urls(),
    tls: () => membership.tls(),
    version: options.version,
    clock,
    random,
    log,
    login: (binding) => membership.login(binding, facts()),
    cursor: () => self().follower.cursor,
    exchange: {
      marks: (welcome) => createExchange(options.cluster, self().follower, cache).marks(welcome),
      records: (keys) => createExchange(options.cluster, self().follower, cache).records(keys),
    },
    silent: (gateways) => void self().speaker.silent(gateways),
    welcomed: (welcome) => endIf(onWelcome(self(), welcome)),
    batch: (batch) => onBatch(self(), batch),
    refused: (refused) => endIf(onRefused(self(), refused)),
    state: (state, url) => onSession(self(), state, url),
  });
}

/** usedHere is what this host and its cluster reach otherwise: Services, other networks, the broker. */
function usedHere({ serviceCidrs }: GatewayOptions, { routes, membership }: Found): readonly Cidr[] {
  const brokers = membership.urls().flatMap((url) => hostOf(url) ?? []);
  return [
    ...serviceCidrs,
    ...routes.map(({ cidr }) => cidr),
    ...brokers.map((ip) => networkPrefix(ip, BITS[familyOf(ip)])),
  ];
}

function networkOf({ podCidrs, serviceCidrs, globalCidrs, globalnet }: GatewayOptions, { routes }: Found): Network {
  const pods = podCidrs.map((cidr, at) => ({ cidr, wanted: globalCidrs[at] ?? null }));
  return { globalnet, pods, services: [...serviceCidrs], routes: [...routes] };
}

/** networkAndModes is networkNow; services of a member whose pods have other addresses now are compiled again. */
async function networkAndModes(gateway: Gateway): Promise<CompiledNetwork | undefined> {
  const next = await networkNow(gateway);
  if (next !== undefined) markModes(gateway, modesNow(gateway), next.modes);
  return next;
}

function makePlane(
  { dataDir }: GatewayOptions,
  { clock, log }: GatewayDeps,
  dataPlane: DataPlane,
  troubles: Troubles,
): Gateway["plane"] {
  if (dataPlane.mode === "none") return null;
  const globalnet = createGlobalnet({ nft: systemNft(), conntrack: systemConntrack(), troubles });
  return { tunnels: createTunnels({ dataDir, dataPlane, log, clock, troubles }), globalnet };
}

/** What the last session said serves until the next one says otherwise. */
function sessionFacts(cache: Cache, clock: Clock): SessionFacts {
  const heard = Number(cache.value("heard") ?? Number.NaN);
  const age = Math.max(0, clock.now() - heard); // NaN where nothing was ever heard
  const supernets = (cache.value("supernets") ?? "").split(",").flatMap((part) => {
    const cidr = parseCidr(part);
    return cidr.ok ? [cidr.value] : [];
  });
  const seen = parseIp(cache.value("seen") ?? "");
  return {
    state: "dialing",
    url: null,
    heardAt: Number.isNaN(age) ? null : clock.monotonic() - age,
    supernets,
    seen: seen.ok ? seen.value : null,
    machine: null,
    sourceSynced: false,
    zoneSynced: false,
    fromDisk: new Set(),
    firstSeen: new Map(),
    drain: "no",
    foreign: null,
    asked: new Map(),
  };
}

/** The zone's serial goes on where it was, whatever the clock says after a restart. */
function serialFloor(cache: Cache): SerialFloor {
  const kept = Number(cache.value("dns-serial") ?? "0");
  const floor = Number.isInteger(kept) && kept >= 0 && kept < 2 ** 32 ? kept : 0;
  return { floor, reserve: (upTo) => cache.setValue("dns-serial", String(upTo)) };
}

/** Addresses of the responder itself: those it listens on, unless they are wildcards or loopback. */
function glueOf({ dns, endpoint }: GatewayOptions): readonly Ip[] {
  const own = dns
    .map(({ host }) => host)
    .filter((host) => host !== "0.0.0.0" && host !== "::" && !host.startsWith("127."));
  return own.length > 0 || endpoint === null ? [...new Set(own)] : [endpoint.host];
}

function tell(log: Log, { title, code, subject, detail, severity }: Trouble, present: boolean): void {
  const fields = { code, subject, detail };
  if (!present) log.info(`no more: ${title}`, fields);
  else if (severity === "info") log.info(`trouble: ${title}`, fields);
  else log.warn(`trouble: ${title}`, fields);
}
