import { type Daemon, verbJson } from "../program.ts";
import { demand, take } from "./demand.ts";

/** Latency is one line of `meridian bench -o json`, as far as it is looked at; times in seconds. */
export interface Latency {
  readonly peer: string;
  readonly samples: number;
  readonly lossRatio: number;
  readonly minSeconds: number;
  readonly p50Seconds: number;
  readonly p90Seconds: number;
  readonly p99Seconds: number;
  readonly maxSeconds: number;
  readonly jitterSeconds: number;
}

/** On a busy machine a probe may come too late to count; a tunnel that works loses none. */
const MOST_LOSS = 0.01;

/** checkLatency measures the round trips to each peer through the tunnels, and looks whether the figures can be. */
export async function checkLatency(
  gateway: Daemon,
  peers: readonly string[],
  duration = "2s",
): Promise<readonly Latency[]> {
  const table = take(await verbJson<readonly Latency[]>(gateway, ["bench", "--duration", duration]));
  judgeLatency(table, peers);
  return table;
}

/** judgeLatency fails unless every peer was measured, once, with figures that fit together. */
export function judgeLatency(table: readonly Latency[], peers: readonly string[]): void {
  const measured = table.map((line) => line.peer).toSorted();
  demand(measured.join() === peers.toSorted().join(), `latency: measured ${measured.join()}, not ${peers.join()}`);
  for (const line of table) {
    const { peer, samples, lossRatio, minSeconds, p50Seconds, p90Seconds, p99Seconds, maxSeconds } = line;
    const order = [minSeconds, p50Seconds, p90Seconds, p99Seconds, maxSeconds];
    const rising = order.every((value, i) => i === 0 || value >= (order[i - 1] ?? 0));
    demand(samples > 0 && minSeconds > 0, `latency: ${peer} has ${samples} samples, the least ${minSeconds} s`);
    demand(rising, `latency: the percentiles of ${peer} do not rise: ${order.join(" ")}`);
    demand(lossRatio <= MOST_LOSS, `latency: ${peer} loses ${lossRatio}`);
  }
}
