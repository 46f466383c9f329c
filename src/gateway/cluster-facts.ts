import type { ApiServer, Live, Networks } from "#kube";
import type { Clock, Log } from "#life";
import { type Cidr, cidrFamily, err, ok, overlaps, parseCidr, type Result } from "#values";
import type { Cache } from "./cache.ts";
import type { GatewayOptions } from "./options.ts";

interface Deps {
  readonly clock: Clock;
  readonly log: Log;
  readonly cache: Pick<Cache, "value" | "setValue">;
  readonly live: Live | null;
}

/** withClusterFacts gives options in which nothing is missing that a live cluster can tell: which it is, and its pod and
 *  service networks. What was told by settings counts; what the API server does not say now, it may have said at an
 *  earlier start. Where each network comes from is logged. */
export async function withClusterFacts(
  options: GatewayOptions,
  deps: Deps,
  signal: AbortSignal,
): Promise<Result<GatewayOptions>> {
  const { kubernetes, version } = options;
  if (kubernetes === null || deps.live === null) return ok(options);
  const api = new deps.live.ApiServer(kubernetes, deps.clock, version);
  try {
    const source = await sourceOf(options, deps.live, { ...deps, api }, signal);
    if (!source.ok) return source;
    const pods = await networksOf("pod", options.podCidrs, { ...deps, api, find: deps.live.discoverPods }, signal);
    if (!pods.ok) return pods;
    const find = deps.live.discoverServices;
    const services = await networksOf("service", options.serviceCidrs, { ...deps, api, find }, signal);
    if (!services.ok) return services;
    const fault = networkFault(pods.value, services.value);
    if (fault !== null) return err(fault);
    const podCidrs = pods.value.filter((cidr) => cidrFamily(cidr) === 4);
    return ok({ ...options, source: source.value, podCidrs, serviceCidrs: services.value });
  } finally {
    api.close();
  }
}

/** Only IPv4 is translated in this version: an IPv6 network beside it stays as it is. */
function networkFault(pods: readonly Cidr[], services: readonly Cidr[]): string | null {
  if (pods.every((cidr) => cidrFamily(cidr) !== 4)) {
    return `the pod network ${pods.join(", ")} has no IPv4, and only that is translated in this version`;
  }
  const clash = pods.find((cidr) => services.some((other) => overlaps(cidr, other)));
  return clash === undefined ? null : `the pod network ${clash} overlaps the service network: give --pod-cidr`;
}

interface Asked extends Pick<Deps, "cache" | "log"> {
  readonly api: ApiServer;
}

/** An API server that is another cluster's than before is not this member's: its silence would withdraw everything. */
async function sourceOf(
  options: GatewayOptions,
  live: Live,
  { cache, api }: Asked,
  signal: AbortSignal,
): Promise<Result<string>> {
  if (options.source !== null) return ok(options.source);
  const before = cache.value("cluster-uid");
  const found = await live.clusterUid(api, signal);
  if (!found.ok) {
    return before == null ? err(`the API server does not say which cluster it is: ${found.error}`) : ok(before);
  }
  if (before != null && before !== found.value) {
    const remedy = "leave first, or mend --kubeconfig";
    return err(`this gateway served the cluster ${before}, and the API server is that of ${found.value}: ${remedy}`);
  }
  cache.setValue("cluster-uid", found.value);
  return found;
}

async function networksOf(
  kind: "pod" | "service",
  given: readonly Cidr[],
  { cache, log, api, find }: Asked & { readonly find: Live["discoverPods"] },
  signal: AbortSignal,
): Promise<Result<readonly Cidr[]>> {
  if (given.length > 0) return ok(given);
  const found = await find(api, signal);
  const known = found.ok ? found.value : remembered(cache, kind);
  if (known === null) return err(found.ok ? "" : found.error);
  log.info(`the ${kind} network was found`, { cidrs: known.cidrs.join(","), origin: known.origin });
  cache.setValue(`${kind}-networks`, known.cidrs.join(","));
  return ok(known.cidrs);
}

function remembered(cache: Pick<Cache, "value">, kind: string): Networks | null {
  const cidrs = (cache.value(`${kind}-networks`) ?? "").split(",").flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr.ok ? [cidr.value] : [];
  });
  return cidrs.length === 0 ? null : { cidrs, origin: "the API server, at an earlier start" };
}
