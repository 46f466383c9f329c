import type { Trouble } from "#life";
import { expositionOf } from "./exposition.ts";
import { type Metric, one, type Sample } from "./metric.ts";
import { buildInfo, type LoopReading, loopDelay, troubleCounts } from "./process-metrics.ts";

/** NodeGatewayReading is what a node without a gateway knows of one of its cluster's. */
export interface NodeGatewayReading {
  readonly name: string;
  readonly up: boolean;
  /** Null before the first echo. */
  readonly rttSeconds: number | null;
}

/** NodeReadings is where the metrics of a node come from, asked at each scrape. */
export interface NodeReadings {
  readonly version: string;
  readonly gateways: () => readonly NodeGatewayReading[];
  readonly networkAgeSeconds: () => number | null;
  readonly loop: () => LoopReading;
  readonly troubles: () => readonly Trouble[];
}

/** createNodeMetrics gives the text of /metrics of a node. */
export function createNodeMetrics(readings: NodeReadings): () => Promise<string> {
  return expositionOf(nodeMetrics(readings));
}

/** nodeMetrics is the list of them. */
export function nodeMetrics(of: NodeReadings): readonly Metric[] {
  const each = (value: (gateway: NodeGatewayReading) => number | null) => (): readonly Sample[] =>
    of.gateways().flatMap((gateway) => {
      return one(value(gateway)).map((sample) => ({ ...sample, labels: { gateway: gateway.name } }));
    });
  return [
    buildInfo(of.version),
    {
      name: "meridian_node_gateway_up",
      type: "gauge",
      help: "Whether a gateway of this node's own cluster answers it.",
      labels: ["gateway"],
      read: each(({ up }) => Number(up)),
    },
    {
      name: "meridian_node_gateway_rtt_seconds",
      type: "gauge",
      help: "Round trip of the last probes to a gateway of this node's own cluster.",
      labels: ["gateway"],
      read: each(({ rttSeconds }) => rttSeconds),
    },
    {
      name: "meridian_node_network_age_seconds",
      type: "gauge",
      help: "Time since the gateways' word on the network was last heard; none while it is that of an earlier start.",
      labels: [],
      read: () => one(of.networkAgeSeconds()),
    },
    ...loopDelay(of.loop),
    troubleCounts(of.troubles),
  ];
}
