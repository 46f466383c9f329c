import type { PeerBench } from "#gateway";
import { parseClusterId } from "#values";
import { ask, asking, orFail, print } from "./ask.ts";
import { span } from "./parsers.ts";
import { ms, table } from "./table.ts";
import { CONFIG, DATA, OUTPUT, refuse, type Verb } from "./verb.ts";

/** bench measures the ways to the peers through the tunnels. */
export const benchVerb: Verb = {
  name: "bench",
  summary: "measure round trips (and throughput) to each peer, through the tunnels",
  example: "meridian bench --peer birch --duration 5s --throughput",
  settings: [
    CONFIG,
    DATA,
    OUTPUT,
    { flag: "peer", value: "ID", help: "only this cluster (repeatable)", repeat: true },
    { flag: "duration", value: "SPAN", help: "how long to measure, at most 30s", fallback: "10s" },
    { flag: "throughput", value: null, help: "measure throughput too, one peer after the other" },
  ],
  async run(call) {
    const { reader, dir, json } = asking(call);
    const peers = reader.many("peer", parseClusterId);
    const durationMs = reader.one("duration", span("100ms", "30s"), "10s");
    const throughput = reader.on("throughput");
    if (reader.faults.length > 0) return refuse(call.around, reader.faults);
    const body = { peers, durationMs, throughput };
    return orFail(call, await ask(dir, call, { method: "POST", of: "gateway", path: "/v1/bench", body }), (value) => {
      const results = value as readonly PeerBench[];
      print(call, json, results, () => text(results));
      return 0;
    });
  },
};

function text(results: readonly PeerBench[]): string {
  const rows = results.map((r) => [
    r.peer,
    r.name,
    String(r.samples),
    `${(r.lossRatio * 100).toFixed(2)} %`,
    ...[r.minSeconds, r.p50Seconds, r.p90Seconds, r.p99Seconds, r.maxSeconds, r.jitterSeconds].map(ms),
    r.bitsPerSecond === null ? "-" : `${(r.bitsPerSecond / 1e6).toFixed(0)} Mbit/s`,
  ]);
  return table(["PEER", "GATEWAY", "SAMPLES", "LOSS", "MIN", "P50", "P90", "P99", "MAX", "JITTER", "THROUGHPUT"], rows);
}
