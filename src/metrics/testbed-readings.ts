import type { BrokerReadings } from "./broker-metrics.ts";
import type { GatewayReadings, PeerReading } from "./gateway-metrics.ts";

/** Readings of everything, for tests. */

const loop = () => ({ p99Seconds: 0.002, maxSeconds: 0.03 });

export const PEER: PeerReading = {
  cluster: "birch",
  gateway: "gw-1",
  up: true,
  rtt: { buckets: [{ le: 0.01, count: 3 }], count: 4, sum: 0.5 },
  jitterSeconds: 0.001,
  lossRatio: 0.25,
  receivedBytes: 10,
  sentBytes: 20,
};

export const GATEWAY: GatewayReadings = {
  version: "1.2.3",
  clusters: () => [
    { cluster: "birch", up: true },
    { cluster: "cedar", up: false },
  ],
  peers: () => [PEER],
  revision: () => 7,
  stateAgeSeconds: () => 1.5,
  brokerConnected: () => true,
  refused: () => new Map([["stale", 2]]),
  dns: () => ({
    queries: { udp: 5, tcp: 1 },
    responses: { udp: { NOERROR: 4, NXDOMAIN: 1 }, tcp: { NOERROR: 1 } },
    zoneNames: 9,
    skippedNames: 2,
  }),
  drops: async () => ({ guard: 3 }),
  loop,
  troubles: () =>
    ["x", "y"].map((subject) => ({ code: "broker-away", severity: "warning", title: "t", subject, detail: "d" })),
};

export const BROKER: BrokerReadings = {
  version: "1.2.3",
  revision: () => 7,
  members: () => ["live", "live", "evicted"],
  sessions: () => 2,
  allocations: () => [{ kind: "pods", state: "live" }],
  invites: () => ["usable"],
  pools: () => [{ pool: "nodes", usedRatio: 0.5 }],
  auditRows: () => 12,
  loop,
};
