export {
  type AllocationReading,
  type BrokerReadings,
  createBrokerMetrics,
  type InviteState,
  type MemberState,
  type PoolReading,
} from "./broker-metrics.ts";
export {
  type CorednsReadings,
  corednsMetrics,
  createCorednsMetrics,
  type ZoneTraffic,
} from "./coredns-metrics.ts";
export { expositionOf } from "./exposition.ts";
export { createGatewayMetrics, type DnsReading, type GatewayReadings, type PeerReading } from "./gateway-metrics.ts";
export type { Distribution, Labels, Metric, Sample } from "./metric.ts";
export { createNodeMetrics, type NodeGatewayReading, type NodeReadings } from "./node-metrics.ts";
export type { LoopReading } from "./process-metrics.ts";
