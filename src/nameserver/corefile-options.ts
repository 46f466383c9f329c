import { isDeepStrictEqual } from "node:util";
import { type CorefilePlan, type CorefileServer, type HttpPlace, isWithin } from "#dns";
import { err, familyOf, formatHostPort, type HostPort, type Ip, ok, parseIp, type Result } from "#values";
import type { DoorPlan, ServerPlan } from "./options.ts";

/** Interfaces gives the addresses of this host by the names of its interfaces. */
export type Interfaces = ReadonlyMap<string, readonly Ip[]>;

const WILDCARDS = ["0.0.0.0", "::"] as Ip[];

/** A block at one of its addresses. */
interface Placed {
  readonly at: HostPort;
  readonly block: CorefileServer;
}

/** serversOf makes responders of server blocks: CoreDNS has one server per address, with the zones of all blocks that
 *  name the address, so blocks at the same addresses become one responder. */
export function serversOf(
  { servers }: CorefilePlan,
  interfaces: Interfaces,
): Result<readonly ServerPlan[], readonly string[]> {
  const faults: string[] = [];
  const placed = servers.flatMap((block) => {
    const hosts = hostsOf(block, interfaces);
    if (!hosts.ok) faults.push(...hosts.error);
    return hosts.ok ? hosts.value.map((host): Placed => ({ at: { host, port: block.port }, block })) : [];
  });
  const byAddress = Map.groupBy(placed, ({ at }) => formatHostPort(at));
  const groups = Map.groupBy(byAddress.values(), (here) => here.map(({ block }) => servers.indexOf(block)).join());
  const plans = [...groups.values()].flatMap((group): readonly ServerPlan[] => {
    const [first = []] = group;
    const merged = merge(first.map(({ block }) => block));
    if (!merged.ok) faults.push(merged.error);
    const listen = group.flatMap(([one]) => (one === undefined ? [] : [one.at]));
    return merged.ok ? [{ ...merged.value, listen }] : [];
  });
  return faults.length === 0 ? ok(plans) : err(faults);
}

/** doorsOf says where CoreDNS's probes and metrics are to be had. */
export function doorsOf({ health, ready, prometheus }: CorefilePlan): DoorPlan {
  const at = (place: HttpPlace | undefined): HostPort | null =>
    place === undefined ? null : { host: place.host ?? ("::" as Ip), port: place.port };
  return {
    health: at(health?.at),
    lameduckMs: health?.lameduckMs ?? 0,
    ready: at(ready?.at),
    continuously: ready?.continuously ?? false,
    prometheus: at(prometheus ?? undefined),
  };
}

/** Without `bind` a block is at every address; IPv6 only where this host has it. */
function hostsOf(
  { bind, except, place }: CorefileServer,
  interfaces: Interfaces,
): Result<readonly Ip[], readonly string[]> {
  const own = [...interfaces.values()].flat();
  const faults: string[] = [];
  const resolve = (name: string): readonly Ip[] => {
    const ip = parseIp(name);
    if (ip.ok) return [ip.value];
    const found = interfaces.get(name);
    if (found === undefined) faults.push(`${place}: bind ${name}: is neither an address nor an interface of this host`);
    return found ?? [];
  };
  const without = new Set(except.flatMap(resolve));
  const wild = WILDCARDS.filter((ip) => familyOf(ip) === 4 || own.some((address) => familyOf(address) === 6));
  // A wildcard cannot leave an address out: then it is taken for all addresses there are.
  const all = without.size === 0 ? wild : own;
  const hosts = bind.length === 0 ? all : bind.flatMap(resolve);
  const left = [...new Set(hosts)].filter((ip) => !without.has(ip));
  if (left.length === 0 && faults.length === 0) faults.push(`${place}: bind leaves no address to listen on`);
  return faults.length === 0 ? ok(left) : err(faults);
}

/** An origin counts under the longest zone of its block that it is in. */
function labelsOf({ origins, zones, plugins }: CorefileServer): ServerPlan["labels"] {
  const plugin = plugins.includes("kubernetes") ? "kubernetes" : "multicluster";
  return origins.map((origin) => {
    const around = zones.filter((zone) => isWithin(origin, zone)).toSorted((a, b) => b.length - a.length);
    return { zone: `${around[0] ?? ""}.`, plugin };
  });
}

/** What all blocks with names at one address must say alike, since one responder serves them. */
const ALIKE = ["ttl", "endpoints", "bufsize", "acl", "tcp"] as const;

function merge(blocks: readonly CorefileServer[]): Result<Omit<ServerPlan, "listen">> {
  const serving = blocks.filter(({ origins }) => origins.length > 0);
  const first = serving[0] ?? blocks[0];
  if (first === undefined) throw new Error("a server without a block");
  for (const other of serving) {
    const differs = ALIKE.find((field) => !isDeepStrictEqual(other[field], first[field]));
    if (differs !== undefined) {
      const what = `${other.place}: ${differs} differs from that of ${first.place}`;
      return err(`${what}, and one address answers in one way: say the same in both, or bind another port`);
    }
  }
  return ok({
    anyAddress: first.bind.length === 0,
    origins: serving.flatMap(({ origins }) => origins),
    labels: serving.flatMap(labelsOf),
    ttl: first.ttl,
    endpoints: first.endpoints,
    acl: first.acl.map((rule) => ({ ...rule, zones: rule.zones.length === 0 ? first.zones : rule.zones })),
    bufsize: first.bufsize,
    tcp: first.tcp,
    startupMs: first.startupMs,
    log: blocks.flatMap(({ log, zones }) =>
      log.map((rule) => ({ ...rule, zones: rule.zones.length === 0 ? zones : rule.zones })),
    ),
    errors: blocks.find(({ errors }) => errors !== null)?.errors ?? null,
    metrics: blocks.some(({ metrics }) => metrics),
    plugins: blocks.flatMap(({ zones, plugins }) =>
      zones.flatMap((zone) => plugins.map((name) => ({ zone: `${zone}.`, name }))),
    ),
  });
}
