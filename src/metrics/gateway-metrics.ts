import type { Trouble } from "#life";
import { expositionOf } from "./exposition.ts";
import { type Distribution, type Labels, type Metric, one, type Sample } from "./metric.ts";
import { buildInfo, type LoopReading, loopDelay, troubleCounts } from "./process-metrics.ts";

/** PeerReading is what is known of one way to one peer gateway. */
export interface PeerReading {
  /** The peer's cluster. */
  readonly cluster: string;
  readonly gateway: string;
  readonly up: boolean;
  /** Round trips as the prober counted them; null before the first. */
  readonly rtt: Omit<Distribution, "labels"> | null;
  readonly jitterSeconds: number | null;
  /** 0 to 1; null where nothing was sent yet. */
  readonly lossRatio: number | null;
  /** Through the tunnel since it was made; null where there is none. */
  readonly receivedBytes: number | null;
  readonly sentBytes: number | null;
}

/** DnsReading is what the responder counted since it started. */
export interface DnsReading {
  /** By transport: `udp`, `tcp`. */
  readonly queries: Readonly<Record<string, number>>;
  /** By transport, then by the name of the code: `NOERROR`. */
  readonly responses: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly zoneNames: number;
  readonly skippedNames: number;
}

/** GatewayReadings is where the metrics of a gateway come from, asked at each scrape. */
export interface GatewayReadings {
  readonly version: string;
  readonly clusters: () => readonly { readonly cluster: string; readonly up: boolean }[];
  readonly peers: () => readonly PeerReading[];
  /** Revision of the catalogue in force; null before the first. */
  readonly revision: () => number | null;
  readonly stateAgeSeconds: () => number | null;
  readonly brokerConnected: () => boolean;
  /** Records that were not believed since the start, by the reason. */
  readonly refused: () => ReadonlyMap<string, number>;
  readonly dns: () => DnsReading | null;
  /** Packets that were dropped, by the name of the guard's counter. */
  readonly drops: () => Promise<Readonly<Record<string, number>>>;
  readonly loop: () => LoopReading;
  readonly troubles: () => readonly Trouble[];
}

/** createGatewayMetrics gives the text of /metrics of a gateway. */
export function createGatewayMetrics(readings: GatewayReadings): () => Promise<string> {
  return expositionOf(gatewayMetrics(readings));
}

/** gatewayMetrics is the list of them. */
export function gatewayMetrics(of: GatewayReadings): readonly Metric[] {
  return [
    buildInfo(of.version),
    {
      name: "meridian_cluster_up",
      type: "gauge",
      help: "Whether a member of the clusterset can be reached: 1 while one way to it is up.",
      labels: ["cluster"],
      read: () => of.clusters().map(({ cluster, up }) => ({ labels: { cluster }, value: Number(up) })),
    },
    ...peerMetrics(of),
    ...syncMetrics(of),
    ...dnsMetrics(of),
    {
      name: "meridian_guard_dropped_packets_total",
      type: "counter",
      help: "Packets that came through a tunnel, or would have gone into one, and were dropped or refused.",
      labels: ["rule"],
      read: async () => Object.entries(await of.drops()).map(([rule, value]) => ({ labels: { rule }, value })),
    },
    ...loopDelay(of.loop),
    troubleCounts(of.troubles),
  ];
}

/** `peer` is the other cluster, `gateway` the gateway there; our own cluster is a label that the scraper adds. */
const PEER = ["peer", "gateway"] as const;

/** peerMetrics: one series for each way to a peer gateway that is known. What a peer has no value for has no series:
 *  a loss of 0 where nothing was sent would look like a good way. */
function peerMetrics({ peers }: GatewayReadings): readonly Metric[] {
  const labels = ({ cluster, gateway }: PeerReading): Labels => ({ peer: cluster, gateway });
  const each = (value: (of: PeerReading) => number | null) => (): readonly Sample[] =>
    peers().flatMap((of) => one(value(of)).map((sample) => ({ ...sample, labels: labels(of) })));
  return [
    {
      name: "meridian_peer_up",
      type: "gauge",
      help: "Whether probes come back from a peer gateway.",
      labels: PEER,
      read: each(({ up }) => Number(up)),
    },
    {
      name: "meridian_peer_rtt_seconds",
      type: "histogram",
      help: "Round trips of the probes through the tunnel to a peer gateway.",
      labels: PEER,
      read: () => peers().flatMap((of) => (of.rtt === null ? [] : [{ ...of.rtt, labels: labels(of) }])),
    },
    {
      name: "meridian_peer_jitter_seconds",
      type: "gauge",
      help: "Mean difference between one round trip and the next.",
      labels: PEER,
      read: each(({ jitterSeconds }) => jitterSeconds),
    },
    {
      name: "meridian_peer_loss_ratio",
      type: "gauge",
      help: "Share of the probes of the last 10 seconds without an echo.",
      labels: PEER,
      read: each(({ lossRatio }) => lossRatio),
    },
    {
      name: "meridian_gateway_rx_bytes_total",
      type: "counter",
      help: "Bytes received through the tunnel from a peer gateway.",
      labels: PEER,
      read: each(({ receivedBytes }) => receivedBytes),
    },
    {
      name: "meridian_gateway_tx_bytes_total",
      type: "counter",
      help: "Bytes sent through the tunnel to a peer gateway.",
      labels: PEER,
      read: each(({ sentBytes }) => sentBytes),
    },
  ];
}

/** syncMetrics: how far this gateway is behind the broker. */
function syncMetrics({ revision, stateAgeSeconds, brokerConnected, refused }: GatewayReadings): readonly Metric[] {
  return [
    {
      name: "meridian_sync_revision",
      type: "gauge",
      help: "Revision of the catalogue in force.",
      labels: [],
      read: () => one(revision()),
    },
    {
      name: "meridian_state_age_seconds",
      type: "gauge",
      help: "Time since the broker was last heard of: how old what is served may be.",
      labels: [],
      read: () => one(stateAgeSeconds()),
    },
    {
      name: "meridian_broker_connected",
      type: "gauge",
      help: "Whether there is a session with a broker.",
      labels: [],
      read: () => one(Number(brokerConnected())),
    },
    {
      name: "meridian_records_refused_total",
      type: "counter",
      help: "Records from the broker that were not believed: older than held, not signed, not owned, and so on.",
      labels: ["code"],
      read: () => [...refused()].map(([code, value]) => ({ labels: { code }, value })),
    },
  ];
}

/** dnsMetrics: names and clients are never labels: there is no end of them. */
function dnsMetrics({ dns }: GatewayReadings): readonly Metric[] {
  return [
    {
      name: "meridian_dns_queries_total",
      type: "counter",
      help: "Messages received by the responder.",
      labels: ["proto"],
      read: () => Object.entries(dns()?.queries ?? {}).map(([proto, value]) => ({ labels: { proto }, value })),
    },
    {
      name: "meridian_dns_responses_total",
      type: "counter",
      help: "Replies of the responder.",
      labels: ["proto", "rcode"],
      read: () =>
        Object.entries(dns()?.responses ?? {}).flatMap(([proto, codes]) =>
          Object.entries(codes).map(([rcode, value]) => ({ labels: { proto, rcode }, value })),
        ),
    },
    {
      name: "meridian_dns_zone_names",
      type: "gauge",
      help: "Names in the zone.",
      labels: [],
      read: () => one(dns()?.zoneNames ?? null),
    },
    {
      name: "meridian_dns_skipped_names",
      type: "gauge",
      help: "Names left out of the zone because DNS cannot encode them.",
      labels: [],
      read: () => one(dns()?.skippedNames ?? null),
    },
  ];
}
