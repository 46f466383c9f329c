import type { Live, Networks } from "#kube";
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

/** withNetworks gives options whose pod and service networks are known: as they were told, else as the cluster says, else
 *  as it said the last time. Where each comes from is logged. */
export async function withNetworks(
  options: GatewayOptions,
  { clock, log, cache, live }: Deps,
  signal: AbortSignal,
): Promise<Result<GatewayOptions>> {
  const { kubernetes, version } = options;
  if (kubernetes === null || live === null || (options.podCidrs.length > 0 && options.serviceCidrs.length > 0))
    return ok(options);
  const api = new live.ApiServer(kubernetes, clock, version);
  const find = async (
    kind: "pod" | "service",
    given: readonly Cidr[],
    discover: Live["discoverPods"],
  ): Promise<Result<readonly Cidr[]>> => {
    if (given.length > 0) return ok(given);
    const found = await discover(api, signal);
    const known = found.ok ? found.value : remembered(cache, kind);
    if (known === null) return err(found.ok ? "" : found.error);
    log.info(`the ${kind} network was found`, { cidrs: known.cidrs.join(","), origin: known.origin });
    cache.setValue(`${kind}-networks`, known.cidrs.join(","));
    return ok(known.cidrs);
  };
  try {
    const pods = await find("pod", options.podCidrs, live.discoverPods);
    if (!pods.ok) return pods;
    const services = await find("service", options.serviceCidrs, live.discoverServices);
    if (!services.ok) return services;
    // Only IPv4 is translated in this version: an IPv6 network beside it stays as it is.
    const podCidrs = pods.value.filter((cidr) => cidrFamily(cidr) === 4);
    if (podCidrs.length === 0)
      return err(`the pod network ${pods.value.join(", ")} has no IPv4: it cannot be translated`);
    const clash = podCidrs.find((cidr) => services.value.some((other) => overlaps(cidr, other)));
    if (clash !== undefined) return err(`the pod network ${clash} overlaps the service network: give --pod-cidr`);
    return ok({ ...options, podCidrs, serviceCidrs: services.value });
  } finally {
    api.close();
  }
}

function remembered(cache: Pick<Cache, "value">, kind: string): Networks | null {
  const cidrs = (cache.value(`${kind}-networks`) ?? "").split(",").flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr.ok ? [cidr.value] : [];
  });
  return cidrs.length === 0 ? null : { cidrs, origin: "the API server, at an earlier start" };
}
