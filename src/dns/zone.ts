import type { Cidr, Ip, Protocol } from "#values";
import type { DnsCompat } from "./compat.ts";
import { concat, labelOctets } from "./wire-name.ts";

const ROOT = Uint8Array.of(0);

export interface ZoneOptions {
  /** The zone's name, `clusterset.local`. */
  readonly origin: string;
  /** Further zones that have the same services. What points back to a name (PTR) names the first. */
  readonly moreOrigins?: readonly string[];
  /** Lifetime of every record but dns-version's, and of negative answers, in seconds. Below 5 is pointless behind
   *  CoreDNS, whose cache keeps everything at least that long. */
  readonly ttl: number;
  /** Addresses of `ns.dns.<origin>`: the responder itself. */
  readonly serverAddresses: readonly Ip[];
  /** Where answers follow CoreDNS instead of the RFCs; nowhere unless said. */
  readonly compat?: DnsCompat;
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
  /** Headless: the ready endpoints; none means that the name does not exist (KEP-1645 DNS specification 2.4.1).
   *  ClusterSetIP: only where `compat.q7EndpointNames` gives them names. */
  readonly endpoints: readonly ZoneEndpoint[];
}

export type ZoneChange =
  | { readonly kind: "service"; readonly service: ZoneService }
  | { readonly kind: "remove"; readonly namespace: string; readonly name: string }
  /** The whole set of namespaces that exist although no service is in them. */
  | { readonly kind: "namespaces"; readonly names: readonly string[] }
  /** The whole set of networks whose addresses have PTR records: each is served as the zones of `in-addr.arpa` or
   *  `ip6.arpa` that it is made of. They answer for endpoints that have a name, those of headless services. */
  | { readonly kind: "reverse"; readonly networks: readonly Cidr[] }
  /** Until the first `true`, a name that is not known is a failure (SERVFAIL), not an absence. */
  | { readonly kind: "synced"; readonly synced: boolean };

/** ZoneShape is one zone and the zone's options in octets. */
export interface ZoneShape {
  /** Tells the zones of one memory apart. */
  readonly id: number;
  /** The folded origin with the root. */
  readonly origin: Uint8Array;
  readonly originLabels: number;
  readonly ttl: number;
  readonly serverAddresses: readonly Ip[];
  readonly compat: DnsCompat;
}

/** zoneShapes encodes the options, a shape per origin; a bad one is our own bug, since it is configuration that was
 *  parsed before. */
export function zoneShapes(options: ZoneOptions): readonly ZoneShape[] {
  const origins = [options.origin, ...(options.moreOrigins ?? [])];
  if (new Set(origins.map((origin) => origin.toLowerCase())).size < origins.length) {
    throw new RangeError(`a zone is named twice: ${origins.join(", ")}`);
  }
  return origins.map((origin, id) => shapeOf(origin, id, options));
}

/** zoneShape is the first zone's shape: lifetime and switches are the same in all. */
export function zoneShape(options: ZoneOptions): ZoneShape {
  return shapeOf(options.origin, 0, options);
}

function shapeOf(origin: string, id: number, { ttl, serverAddresses, compat = {} }: ZoneOptions): ZoneShape {
  const labels = origin.split(".");
  const octets = labelOctets(labels);
  // Leaves room for two labels of 63 octets: a service and its namespace.
  if (octets === undefined || octets.length > 100) throw new RangeError(`origin must be a domain name: ${origin}`);
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > 3600) throw new RangeError(`ttl must be 0 to 3600: ${ttl}`);
  const { dnsVersion = "" } = compat;
  if (!/^[ -~]{0,255}$/.test(dnsVersion)) throw new RangeError(`dnsVersion must be printable: ${dnsVersion}`);
  return { id, origin: concat(octets, ROOT), originLabels: labels.length, ttl, serverAddresses, compat };
}
