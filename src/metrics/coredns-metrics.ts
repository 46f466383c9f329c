import { expositionOf } from "./exposition.ts";
import { type Distribution, type Labels, type Metric, one, type Sample } from "./metric.ts";

type Histogram = Omit<Distribution, "labels">;

/** ZoneTraffic is what one server answered for one zone, by one transport. */
export interface ZoneTraffic {
  /** `dns://:53` */
  readonly server: string;
  /** With its dot; `dropped` for queries that are for none of the zones. */
  readonly zone: string;
  readonly proto: "udp" | "tcp";
  /** `1` is IPv4, `2` IPv6. */
  readonly family: "1" | "2";
  /** The plugin that answered; empty for the server itself. */
  readonly plugin: string;
  /** Queries by type, replies by the name of their code. */
  readonly requests: Readonly<Record<string, number>>;
  readonly responses: Readonly<Record<string, number>>;
  readonly dnssecOk: number;
  readonly seconds: Histogram;
  readonly requestBytes: Histogram;
  readonly responseBytes: Histogram;
  readonly access: {
    readonly blocked: number;
    readonly filtered: number;
    readonly dropped: number;
    readonly allowed: number;
  };
}

/** CorednsReadings is where CoreDNS's metrics come from, asked at each scrape. */
export interface CorednsReadings {
  readonly version: string;
  readonly runtime: string;
  readonly panics: () => number;
  readonly plugins: () => readonly { readonly server: string; readonly zone: string; readonly name: string }[];
  readonly traffic: () => readonly ZoneTraffic[];
  /** Of the health check that asks itself; null without one. */
  readonly health: () => { readonly seconds: Histogram; readonly failures: number } | null;
  /** Null where no Corefile is followed. */
  readonly reload: () => { readonly failed: number; readonly hash: string } | null;
}

/** createCorednsMetrics gives the text of /metrics with CoreDNS's names, so that its dashboards and alerts carry over. */
export function createCorednsMetrics(readings: CorednsReadings): () => Promise<string> {
  return expositionOf(corednsMetrics(readings));
}

/** corednsMetrics is the list of them: names, labels and buckets of CoreDNS 1.14. There is no `view`; its label is empty
 *  as it is there. */
export function corednsMetrics(of: CorednsReadings): readonly Metric[] {
  return [
    {
      name: "coredns_build_info",
      type: "gauge",
      help: "Always 1; the labels say what runs.",
      labels: ["version", "revision", "goversion"],
      read: () => [{ labels: { version: of.version, revision: "", goversion: of.runtime }, value: 1 }],
    },
    counter("coredns_panics_total", "Queries whose answering failed by a fault of the program.", () =>
      one(of.panics()),
    ),
    {
      name: "coredns_plugin_enabled",
      type: "gauge",
      help: "Directives that are in force, by server and zone.",
      labels: ["server", "zone", "view", "name"],
      read: () =>
        of.plugins().map(({ server, zone, name }) => ({ labels: { server, zone, view: "", name }, value: 1 })),
    },
    ...trafficMetrics(of),
    ...accessMetrics(of),
    ...operationMetrics(of),
  ];
}

const ZONE = ["server", "zone", "view"] as const;

function trafficMetrics({ traffic }: CorednsReadings): readonly Metric[] {
  return [
    counter(
      "coredns_dns_requests_total",
      "Queries by zone, transport, family and type.",
      () =>
        added(
          traffic().flatMap((of) =>
            Object.entries(of.requests).map(([type, value]) => ({
              labels: { ...zoneOf(of), proto: of.proto, family: of.family, type },
              value,
            })),
          ),
        ),
      [...ZONE, "proto", "family", "type"],
    ),
    distribution("coredns_dns_request_duration_seconds", "Time that answering took, by zone.", ZONE, () =>
      merged(traffic().map((of) => ({ ...of.seconds, labels: zoneOf(of) }))),
    ),
    distribution("coredns_dns_request_size_bytes", "Size of queries.", [...ZONE, "proto"], () =>
      merged(traffic().map((of) => ({ ...of.requestBytes, labels: { ...zoneOf(of), proto: of.proto } }))),
    ),
    counter(
      "coredns_dns_do_requests_total",
      "Queries with the DO bit.",
      () => added(traffic().map((of) => ({ labels: zoneOf(of), value: of.dnssecOk }))),
      ZONE,
    ),
    distribution("coredns_dns_response_size_bytes", "Size of replies.", [...ZONE, "proto"], () =>
      merged(traffic().map((of) => ({ ...of.responseBytes, labels: { ...zoneOf(of), proto: of.proto } }))),
    ),
    counter(
      "coredns_dns_responses_total",
      "Replies by zone, code and the plugin that wrote them.",
      () =>
        added(
          traffic().flatMap((of) =>
            Object.entries(of.responses).map(([rcode, value]) => ({
              labels: { ...zoneOf(of), rcode, plugin: of.plugin },
              value,
            })),
          ),
        ),
      [...ZONE, "rcode", "plugin"],
    ),
  ];
}

/** accessMetrics: what access lists did; without one nothing is counted. */
function accessMetrics({ traffic }: CorednsReadings): readonly Metric[] {
  const did = (action: "blocked" | "filtered" | "dropped"): Metric =>
    counter(
      `coredns_acl_${action}_requests_total`,
      `Queries that an access list ${action}.`,
      () =>
        added(traffic().map((of) => ({ labels: zoneOf(of), value: of.access[action] }))).filter(
          ({ value }) => value > 0,
        ),
      ZONE,
    );
  return [
    did("blocked"),
    did("filtered"),
    did("dropped"),
    counter(
      "coredns_acl_allowed_requests_total",
      "Queries that an access list let through.",
      () =>
        added(traffic().map((of) => ({ labels: { server: of.server, view: "" }, value: of.access.allowed }))).filter(
          ({ value }) => value > 0,
        ),
      ["server", "view"],
    ),
  ];
}

function operationMetrics({ health, reload }: CorednsReadings): readonly Metric[] {
  return [
    distribution(
      "coredns_health_request_duration_seconds",
      "Time that a request of its own to /health took.",
      [],
      () => {
        const found = health();
        return found === null ? [] : [{ ...found.seconds, labels: {} }];
      },
    ),
    counter("coredns_health_request_failures_total", "Requests of its own to /health that failed.", () =>
      one(health()?.failures ?? null),
    ),
    counter("coredns_reload_failed_total", "Changed Corefiles that could not be taken.", () =>
      one(reload()?.failed ?? null),
    ),
    {
      name: "coredns_reload_version_info",
      type: "gauge",
      help: "Always 1; the label is the hash of the Corefile in force.",
      labels: ["hash", "value"],
      read: () => {
        const value = reload()?.hash;
        return value === undefined ? [] : [{ labels: { hash: "sha512", value }, value: 1 }];
      },
    },
  ];
}

function zoneOf({ server, zone }: ZoneTraffic): Labels {
  return { server, zone, view: "" };
}

function counter(name: string, help: string, read: () => readonly Sample[], labels: readonly string[] = []): Metric {
  return { name, type: "counter", help, labels, read };
}

function distribution(
  name: string,
  help: string,
  labels: readonly string[],
  read: () => readonly Distribution[],
): Metric {
  return { name, type: "histogram", help, labels, read };
}

/** added sums samples of equal labels: several rows count what is one series. */
function added(samples: readonly Sample[]): readonly Sample[] {
  const sums = new Map<string, Sample>();
  for (const { labels, value } of samples) {
    const key = JSON.stringify(labels);
    sums.set(key, { labels, value: value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

/** merged does the same for histograms, whose buckets are all alike. */
function merged(series: readonly Distribution[]): readonly Distribution[] {
  const sums = new Map<string, Distribution>();
  for (const next of series) {
    const key = JSON.stringify(next.labels);
    const sum = sums.get(key);
    sums.set(key, sum === undefined ? next : addTo(sum, next));
  }
  return [...sums.values()];
}

function addTo(a: Distribution, b: Distribution): Distribution {
  return {
    labels: a.labels,
    buckets: a.buckets.map(({ le, count }, at) => ({ le, count: count + (b.buckets[at]?.count ?? 0) })),
    count: a.count + b.count,
    sum: a.sum + b.sum,
  };
}
