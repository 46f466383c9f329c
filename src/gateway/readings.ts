import type { GatewayReadings, PeerReading } from "#metrics";
import type { Gateway } from "./state.ts";

/** readingsOf is where the metrics of a gateway come from. What needs an outside program (bytes by tunnel, drops) is
 *  asked at each scrape and never in between. */
export function readingsOf(gateway: Gateway): GatewayReadings {
  const { options, follower, session, clock, prober, verdicts, responder, loop, troubles, plane } = gateway;
  const others = () => follower.catalogue.live().filter(({ cluster }) => cluster !== options.cluster);
  return {
    version: options.version,
    clusters: () => others().map(({ cluster }) => ({ cluster, up: verdicts.of(cluster) === "up" })),
    peers: () => prober.reports().map(peerReading),
    revision: () => follower.cursor?.revision ?? null,
    stateAgeSeconds: () => {
      if (session.state === "live") return 0;
      return session.heardAt === null ? null : (clock.monotonic() - session.heardAt) / 1000;
    },
    brokerConnected: () => session.state === "live",
    refused: () => follower.refused,
    dns: () => {
      const { queries, responses, zone } = responder.stats();
      return {
        queries: { ...queries },
        responses: { udp: { ...responses.udp }, tcp: { ...responses.tcp } },
        zoneNames: zone.names,
        skippedNames: zone.skippedNames,
      };
    },
    drops: async () => {
      const counters = await plane?.globalnet.counters();
      if (counters?.ok !== true) return {};
      const refused = Object.entries(counters.value).filter(([name]) => !name.startsWith("carried-"));
      return Object.fromEntries(refused.map(([name, { packets }]) => [name, packets]));
    },
    loop: () => ({ p99Seconds: loop.p99Seconds(), maxSeconds: loop.maxSeconds() }),
    troubles: () => troubles.list(),
  };
}

function peerReading(report: ReturnType<Gateway["prober"]["reports"]>[number]): PeerReading {
  const slash = report.id.indexOf("/");
  const { up, histogram, histogramCount, histogramSum, jitterSeconds, lossRatio, sent } = report;
  return {
    cluster: report.id.slice(0, slash),
    gateway: report.id.slice(slash + 1),
    up,
    rtt: histogramCount === 0 ? null : { buckets: histogram, count: histogramCount, sum: histogramSum },
    jitterSeconds,
    lossRatio: sent === 0 ? null : lossRatio,
    receivedBytes: null,
    sentBytes: null,
  };
}
