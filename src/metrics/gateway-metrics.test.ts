import { describe, expect, test } from "vitest";
import { createBrokerMetrics } from "./broker-metrics.ts";
import { createGatewayMetrics } from "./gateway-metrics.ts";
import { BROKER, GATEWAY, PEER } from "./testbed-readings.ts";

const lines = async (expose: () => Promise<string>): Promise<readonly string[]> =>
  (await expose()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));

describe("createGatewayMetrics()", () => {
  test("writes everything that is known", async () => {
    expect(await lines(createGatewayMetrics(GATEWAY))).toEqual([
      'meridian_build_info{version="1.2.3"} 1',
      'meridian_cluster_up{cluster="birch"} 1',
      'meridian_cluster_up{cluster="cedar"} 0',
      'meridian_peer_up{peer="birch",gateway="gw-1"} 1',
      'meridian_peer_rtt_seconds_bucket{peer="birch",gateway="gw-1",le="0.01"} 3',
      'meridian_peer_rtt_seconds_bucket{peer="birch",gateway="gw-1",le="+Inf"} 4',
      'meridian_peer_rtt_seconds_sum{peer="birch",gateway="gw-1"} 0.5',
      'meridian_peer_rtt_seconds_count{peer="birch",gateway="gw-1"} 4',
      'meridian_peer_jitter_seconds{peer="birch",gateway="gw-1"} 0.001',
      'meridian_peer_loss_ratio{peer="birch",gateway="gw-1"} 0.25',
      'meridian_gateway_rx_bytes_total{peer="birch",gateway="gw-1"} 10',
      'meridian_gateway_tx_bytes_total{peer="birch",gateway="gw-1"} 20',
      "meridian_sync_revision 7",
      "meridian_state_age_seconds 1.5",
      "meridian_broker_connected 1",
      'meridian_records_refused_total{code="stale"} 2',
      'meridian_dns_queries_total{proto="udp"} 5',
      'meridian_dns_queries_total{proto="tcp"} 1',
      'meridian_dns_responses_total{proto="udp",rcode="NOERROR"} 4',
      'meridian_dns_responses_total{proto="udp",rcode="NXDOMAIN"} 1',
      'meridian_dns_responses_total{proto="tcp",rcode="NOERROR"} 1',
      "meridian_dns_zone_names 9",
      "meridian_dns_skipped_names 2",
      'meridian_guard_dropped_packets_total{rule="guard"} 3',
      "meridian_loop_delay_p99_seconds 0.002",
      "meridian_loop_delay_max_seconds 0.03",
      'meridian_troubles{code="broker-away",severity="warning"} 2',
      "meridian_metrics_read_failures_total 0",
      "meridian_metrics_series_left_out_total 0",
    ]);
  });

  test("has no series for what is not known, rather than a 0 that would be a lie", async () => {
    const unknown = { rtt: null, jitterSeconds: null, lossRatio: null, receivedBytes: null, sentBytes: null };
    const none = { revision: () => null, stateAgeSeconds: () => null, dns: () => null, drops: async () => ({}) };
    const got = await lines(createGatewayMetrics({ ...GATEWAY, ...none, peers: () => [{ ...PEER, ...unknown }] }));
    expect(got.filter((line) => /peer_(rtt|jitter|loss)|bytes|revision|age|dns|guard/.test(line))).toEqual([]);
    expect(got).toContain('meridian_peer_up{peer="birch",gateway="gw-1"} 1');
  });
});

describe("createBrokerMetrics()", () => {
  test("counts by state, with a 0 for each state that nothing is in", async () => {
    const got = await lines(createBrokerMetrics(BROKER));
    expect(got).toEqual(
      expect.arrayContaining([
        'meridian_broker_members{state="live"} 2',
        'meridian_broker_members{state="left"} 0',
        'meridian_broker_members{state="evicted"} 1',
        'meridian_broker_invites{state="expired"} 0',
        'meridian_ipam_allocations{kind="pods",state="live"} 1',
        'meridian_ipam_allocations{kind="pods",state="quarantine"} 0',
        'meridian_ipam_used_ratio{pool="nodes"} 0.5',
        "meridian_broker_audit_rows_total 12",
        "meridian_broker_sessions 2",
      ]),
    );
  });

  test("leaves out what its caller cannot tell", async () => {
    const { pools: _, auditRows: __, loop: ___, ...known } = BROKER;
    const got = await lines(createBrokerMetrics(known));
    expect(got.filter((line) => /used_ratio|audit|loop/.test(line))).toEqual([]);
  });
});
