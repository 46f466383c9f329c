import { expositionOf } from "./exposition.ts";
import { type Metric, one, type Sample, tally } from "./metric.ts";
import { buildInfo, type LoopReading, loopDelay } from "./process-metrics.ts";

/** A member is live until it leaves or is evicted. */
export type MemberState = "live" | "left" | "evicted";
/** Whether a join token can be used, or why not. */
export type InviteState = "usable" | "used-up" | "expired" | "revoked";

/** AllocationReading is one prefix that is taken, whoever has it: clusters are not labels here. */
export interface AllocationReading {
  readonly kind: "pods" | "nodes" | "service" | "reserved";
  readonly state: "live" | "quarantine";
}

/** PoolReading is how much of a part of the supernet is taken. */
export interface PoolReading {
  /** `nodes`, `pods` or `services`, with the supernet where there are two. */
  readonly pool: string;
  /** 0 to 1, quarantine included. */
  readonly usedRatio: number;
}

/** BrokerReadings is where the metrics of a broker come from, asked at each scrape. What a caller does not know it
 *  leaves out, and those metrics have no series. */
export interface BrokerReadings {
  readonly version: string;
  readonly revision: () => number;
  readonly members: () => readonly MemberState[];
  /** Gateways with a session now. */
  readonly sessions: () => number;
  readonly allocations: () => readonly AllocationReading[];
  readonly invites: () => readonly InviteState[];
  readonly pools?: () => readonly PoolReading[];
  /** Number of the audit log's last row: how many were ever written. */
  readonly auditRows?: () => number;
  readonly loop?: () => LoopReading;
}

/** createBrokerMetrics gives the text of /metrics of a broker. */
export function createBrokerMetrics(readings: BrokerReadings): () => Promise<string> {
  return expositionOf(brokerMetrics(readings));
}

/** brokerMetrics is the list of them. */
export function brokerMetrics(of: BrokerReadings): readonly Metric[] {
  return [
    buildInfo(of.version),
    {
      name: "meridian_sync_revision",
      type: "gauge",
      help: "The broker's count of accepted writes.",
      labels: [],
      read: () => one(of.revision()),
    },
    {
      name: "meridian_broker_members",
      type: "gauge",
      help: "Clusters that the broker knows, by state.",
      labels: ["state"],
      read: () => tally("state", of.members(), ["live", "left", "evicted"]),
    },
    {
      name: "meridian_broker_sessions",
      type: "gauge",
      help: "Gateways with a session now.",
      labels: [],
      read: () => one(of.sessions()),
    },
    {
      name: "meridian_broker_invites",
      type: "gauge",
      help: "Join tokens that were made, by state.",
      labels: ["state"],
      read: () => tally("state", of.invites(), ["usable", "used-up", "expired", "revoked"]),
    },
    {
      name: "meridian_broker_audit_rows_total",
      type: "counter",
      help: "Rows that were ever written to the audit log.",
      labels: [],
      read: () => one(of.auditRows?.() ?? null),
    },
    ...ipamMetrics(of),
    ...(of.loop === undefined ? [] : loopDelay(of.loop)),
  ];
}

/** ipamMetrics: how full the supernet is. */
function ipamMetrics({ allocations, pools }: BrokerReadings): readonly Metric[] {
  return [
    {
      name: "meridian_ipam_allocations",
      type: "gauge",
      help: "Prefixes that are taken, by kind and state.",
      labels: ["kind", "state"],
      read: () => counted(allocations()),
    },
    {
      name: "meridian_ipam_used_ratio",
      type: "gauge",
      help: "Share of a pool's addresses that is taken, quarantine included.",
      labels: ["pool"],
      read: () => (pools?.() ?? []).map(({ pool, usedRatio }) => ({ labels: { pool }, value: usedRatio })),
    },
  ];
}

const KINDS = ["pods", "nodes", "service", "reserved"] as const;
const STATES = ["live", "quarantine"] as const;

/** counted goes once through what may be tens of thousands. */
function counted(allocations: readonly AllocationReading[]): readonly Sample[] {
  const pairs = STATES.flatMap((state) => KINDS.map((kind) => ({ kind, state })));
  const counts = new Map(pairs.map(({ kind, state }) => [`${kind} ${state}`, 0]));
  for (const { kind, state } of allocations) counts.set(`${kind} ${state}`, (counts.get(`${kind} ${state}`) ?? 0) + 1);
  return pairs.map((labels) => ({ labels, value: counts.get(`${labels.kind} ${labels.state}`) ?? 0 }));
}
