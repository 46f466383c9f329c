import type { Ip, Protocol } from "#values";
import { concat, labelOctets } from "./wire-name.ts";

export interface ZoneOptions {
  /** The zone's name, `clusterset.local`. */
  readonly origin: string;
  /** Lifetime of every record but dns-version's, and of negative answers, in seconds. Below 5 is pointless behind
   *  CoreDNS, whose cache keeps everything at least that long. */
  readonly ttl: number;
  /** Addresses of `ns.dns.<origin>`: the responder itself. */
  readonly serverAddresses: readonly Ip[];
}

export interface ZonePort {
  /** Empty for an unnamed port: it has no `_port._proto` name. */
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** ZoneEndpoint is one ready endpoint of a headless service. */
export interface ZoneEndpoint {
  readonly cluster: string;
  /** The endpoint's hostname, or the label derived for it. */
  readonly hostname: string;
  readonly addresses: readonly Ip[];
  readonly ports: readonly ZonePort[];
}

/** ZoneService is what one service answers. Its names are DNS labels: callers have parsed them. */
export interface ZoneService {
  readonly namespace: string;
  readonly name: string;
  readonly type: "ClusterSetIP" | "Headless";
  /** ClusterSetIP: its clusterset IPs; none means that the name exists without an address. */
  readonly addresses: readonly Ip[];
  /** ClusterSetIP: its ports. */
  readonly ports: readonly ZonePort[];
  /** Headless: the ready endpoints; none means that the name does not exist (KEP-1645 DNS specification 2.4.1). */
  readonly endpoints: readonly ZoneEndpoint[];
}

export type ZoneChange =
  | { readonly kind: "service"; readonly service: ZoneService }
  | { readonly kind: "remove"; readonly namespace: string; readonly name: string }
  /** The whole set of namespaces that exist although no service is in them. */
  | { readonly kind: "namespaces"; readonly names: readonly string[] }
  /** Until the first `true`, a name that is not known is a failure (SERVFAIL), not an absence. */
  | { readonly kind: "synced"; readonly synced: boolean };

/** ZoneShape is the zone's options in octets. */
export interface ZoneShape {
  /** The folded origin with the root. */
  readonly origin: Uint8Array;
  readonly originLabels: number;
  readonly ttl: number;
  readonly serverAddresses: readonly Ip[];
}

/** zoneShape encodes the options; a bad origin is our own bug, since it is configuration that was parsed before. */
export function zoneShape({ origin, ttl, serverAddresses }: ZoneOptions): ZoneShape {
  const labels = origin.split(".");
  const octets = labelOctets(labels);
  // Leaves room for two labels of 63 octets: a service and its namespace.
  if (octets === undefined || octets.length > 100) throw new RangeError(`origin must be a domain name: ${origin}`);
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 3600) throw new RangeError(`ttl must be 0 to 3600: ${ttl}`);
  return { origin: concat(octets, Uint8Array.of(0)), originLabels: labels.length, ttl, serverAddresses };
}
