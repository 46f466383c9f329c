import type { ZoneEndpoint, ZoneService } from "#dns";
import { equalShares, type PlanPort, type ServiceEntry, serviceKey, type Target } from "#globalnet";
import { type Backend, type ExportOf, type ImportedService, mergeExports } from "#services";
import type { ClusterId, Ip, Namespace, Protocol, ServiceName } from "#values";
import type { Catalogue, ExportBody } from "#wire";
import { type Translation, toLocal } from "./export-body.ts";

/** ServiceContext is what all services are compiled with. */
export interface ServiceContext {
  readonly own: ClusterId;
  readonly translation: Translation;
  /** Members whose pods are reached by their own addresses, and what those are. */
  readonly direct?: ReadonlyMap<ClusterId, Translation>;
  /** Whether a member's endpoints can be reached now. */
  readonly reachable: (cluster: ClusterId) => boolean;
  /** On Kubernetes: the address that a service has inside this cluster, and its name answers, given its service address;
   *  null while it has none. */
  readonly answer?: ((key: string, address: Ip | null) => Ip | null) | undefined;
  /** The members whose endpoints answered until now. */
  readonly last: readonly ClusterId[];
}

/** CompiledService is what one clusterset service becomes on this node. */
export interface CompiledService {
  readonly key: string;
  readonly imported: ImportedService;
  /** Null until the broker has granted one; headless services have none. */
  readonly address: Ip | null;
  readonly zone: ZoneService;
  /** What answers, by addresses as this cluster's pods reach it. */
  readonly backends: readonly Backend[];
  /** What answers only where nothing else does: it ends. */
  readonly draining: readonly Backend[];
  readonly table: readonly ServiceEntry[];
  /** Own pods among the endpoints: they may be their own clients. */
  readonly hairpin: readonly Ip[];
  /** Ports of the member's nodes that are endpoints, as `172.31.0.10 TCP 9100`. */
  readonly hostPorts: readonly string[];
  /** The members whose endpoints answer: those that can be reached, or where none can the last that could (stale). */
  readonly serving: readonly ClusterId[];
  readonly stale: boolean;
}

/** exportsOf gathers what live members export under a name. */
export function exportsOf(catalogue: Catalogue, key: string): readonly ExportOf[] {
  return catalogue.live().flatMap((member): ExportOf[] => {
    const body = member.exports.get(key);
    if (body === undefined) return [];
    return [{ cluster: member.cluster, joinedAt: member.body.joinedAt, body: owned(catalogue, member.cluster, body) }];
  });
}

/** What was a member's own when it said so may have been taken back since, and be another's now. */
function owned({ ledger }: Catalogue, cluster: ClusterId, body: ExportBody): ExportBody {
  const isOwn = ({ address }: { readonly address: Ip }): boolean => ledger.owns(cluster, address);
  if (body.slices.every(({ endpoints, draining = [] }) => endpoints.every(isOwn) && draining.every(isOwn))) return body;
  const slices = body.slices.map(({ endpoints, draining, ...slice }) => {
    const ready = { ...slice, endpoints: endpoints.filter(isOwn) };
    return draining === undefined ? ready : { ...ready, draining: draining.filter(isOwn) };
  });
  return { ...body, slices };
}

/** awaitsAddress reports whether a name is exported and cannot be served before the broker grants it an address. */
export function awaitsAddress(catalogue: Catalogue, key: string): boolean {
  if (catalogue.ledger.serviceAddress(key) !== undefined) return false;
  const exporters = catalogue.live().filter((member) => member.exports.has(key));
  return exporters.length > 0 && exporters.every((member) => !member.exports.isHeadless(key));
}

/** compileService is pure: exports of one name to zone and table. Undefined where nobody exports it. */
export function compileService(
  catalogue: Catalogue,
  key: string,
  context: ServiceContext,
): CompiledService | undefined {
  const exports = exportsOf(catalogue, key);
  if (exports.length === 0) return undefined;
  const imported = mergeExports(exports);
  const address = imported.type === "Headless" ? null : (catalogue.ledger.serviceAddress(key) ?? null);
  const { backends, stale } = serving(imported, context);
  const served = new Set(backends.map(({ cluster }) => cluster).concat(reached(imported, context)));
  const here = backends.map((backend) => localised(backend, context));
  return {
    key,
    imported,
    address,
    zone: zoneOf(imported, answerOf(imported, key, address, context), here),
    backends: here,
    draining: imported.draining.filter(({ cluster }) => served.has(cluster)).map((one) => localised(one, context)),
    table: address === null ? [] : tableOf(imported, address, here),
    hairpin: here.filter(({ cluster }) => cluster === context.own).map((backend) => backend.address),
    hostPorts: here.flatMap((backend) => hostPortsOf(backend, context)),
    serving: [...new Set(backends.map(({ cluster }) => cluster))],
    stale,
  };
}

/** A name answers what the cluster's own objects say, where there are such, else the service address. */
function answerOf({ type }: ImportedService, key: string, address: Ip | null, { answer }: ServiceContext): Ip | null {
  return answer === undefined || type === "Headless" ? address : answer(key, address);
}

/** A member that cannot be reached does not answer; when none can, the last known locations stay and are marked. */
function serving(imported: ImportedService, { own, reachable, last }: ServiceContext) {
  const there = imported.backends.filter(({ cluster }) => cluster === own || reachable(cluster));
  if (there.length > 0 || imported.backends.length === 0) return { backends: there, stale: false };
  const known = imported.backends.filter(({ cluster }) => last.includes(cluster));
  return { backends: known.length > 0 ? known : imported.backends, stale: true };
}

/** A member of which nothing is ready has only endpoints that end. */
function reached({ draining }: ImportedService, { own, reachable }: ServiceContext): readonly ClusterId[] {
  return draining.map(({ cluster }) => cluster).filter((cluster) => cluster === own || reachable(cluster));
}

/** Inside a member its own endpoints are their pod addresses; so are those of a member that is reached untranslated. */
function localised(backend: Backend, { own, translation, direct }: ServiceContext): Backend {
  const theirs = backend.cluster === own ? translation : direct?.get(backend.cluster);
  return theirs === undefined ? backend : { ...backend, address: toLocal(theirs, backend.address) };
}

/** An endpoint on a node's own network is a port of that host that peers may reach. */
function hostPortsOf({ cluster, address, targets }: Backend, { own, translation }: ServiceContext): readonly string[] {
  if (cluster !== own || !translation.nodes.has(address)) return [];
  return targets.flatMap(({ protocol, target }) => (protocol === "SCTP" ? [] : [`${address} ${protocol} ${target}`]));
}

/** portsOn are those of some compiled services' hostPorts that are one node's. */
export function portsOn(node: Ip, hostPorts: readonly string[]): readonly PlanPort[] {
  return hostPorts.flatMap((text): PlanPort[] => {
    const [address, protocol, port] = text.split(" ");
    return address === node ? [{ protocol: protocol === "UDP" ? "UDP" : "TCP", port: Number(port) }] : [];
  });
}

function zoneOf(imported: ImportedService, address: Ip | null, backends: readonly Backend[]): ZoneService {
  const { namespace, name, type } = imported;
  const headless = type === "Headless";
  return {
    namespace,
    name,
    type,
    addresses: address === null ? [] : [address],
    ports: headless
      ? []
      : imported.ports.map(({ name: port, protocol, port: number }) => ({ name: port, protocol, port: number })),
    endpoints: headless ? endpointsOf(backends) : [],
  };
}

/** One name may have several addresses: they are one endpoint of the zone (K/dns 2.4.1). */
function endpointsOf(backends: readonly Backend[]): readonly ZoneEndpoint[] {
  const byName = new Map<
    string,
    { cluster: string; hostname: string; addresses: Ip[]; ports: ZoneEndpoint["ports"] }
  >();
  for (const { cluster, hostname, address, targets } of backends) {
    const key = `${hostname}.${cluster}`;
    const known = byName.get(key);
    if (known !== undefined) {
      if (!known.addresses.includes(address)) known.addresses.push(address);
      continue;
    }
    // A headless client dials the endpoint itself, so SRV names the endpoint's port (as CoreDNS does).
    const ports = targets.map(({ portName, protocol, target }) => ({ name: portName, protocol, port: target }));
    byName.set(key, { cluster, hostname, addresses: [address], ports });
  }
  return [...byName.values()];
}

/** Before there is a policy every reachable member has an equal share. */
function tableOf(imported: ImportedService, address: Ip, backends: readonly Backend[]): readonly ServiceEntry[] {
  return imported.ports.map(({ protocol, port }) => {
    return {
      address,
      protocol,
      port,
      affinity: imported.sessionAffinity === "ClientIP" ? "client" : "none",
      backends: equalShares(backends.flatMap((backend) => targetOf(backend, protocol, port))),
    };
  });
}

function targetOf({ cluster, address, targets }: Backend, protocol: Protocol, port: number): readonly Target[] {
  const target = targets.find((t) => t.protocol === protocol && t.port === port);
  return target === undefined ? [] : [{ member: cluster, address, port: target.target }];
}

/** ServedService is what is kept of a compiled service once it is in force: little, since there may be very many. */
export interface ServedService {
  readonly key: string;
  readonly namespace: Namespace;
  readonly name: ServiceName;
  readonly type: ImportedService["type"];
  readonly clusters: readonly ClusterId[];
  /** The members whose endpoints answer. */
  readonly serving: readonly ClusterId[];
  /** None of them can be reached: these are the last known locations. */
  readonly stale: boolean;
  readonly tableKeys: readonly string[];
  readonly hairpin: readonly Ip[];
  readonly hostPorts: readonly string[];
}

/** servedOf keeps what withdrawing a service, and listing it, need. */
export function servedOf({ key, imported, table, hairpin, hostPorts, serving, stale }: CompiledService): ServedService {
  const { namespace, name, type, clusters } = imported;
  return {
    key,
    namespace,
    name,
    type,
    clusters: shared(clusters),
    serving: shared(serving),
    stale,
    tableKeys: table.map(serviceKey),
    hairpin,
    hostPorts,
  };
}

const lists = new Map<string, readonly ClusterId[]>();

/** Most services have the same few exporters: one list serves them all. */
function shared(clusters: readonly ClusterId[]): readonly ClusterId[] {
  const text = clusters.join();
  const known = lists.get(text) ?? clusters;
  if (lists.size < 1000) lists.set(text, known);
  return known;
}
