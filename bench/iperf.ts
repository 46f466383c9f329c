import { type Job, mustExec, type Place, spawnIn, waitForLine } from "#lab";
import { busyShare, machine } from "./usage.ts";

/** Throughput is what one TCP run brought. */
export interface Throughput {
  readonly bitsPerSecond: number;
  readonly retransmits: number;
  /** CPU time of the whole machine, both ends and the tunnel, per gigabyte that arrived. */
  readonly cpuSecondsPerGigabyte: number;
}

interface IperfReport {
  readonly end: {
    readonly sum_received: { readonly bits_per_second: number; readonly bytes: number };
    readonly sum_sent: { readonly retransmits?: number };
  };
  readonly error?: string;
}

const CPUS = 2;

/** startIperf starts a server in a place; it serves one client after the other. */
export async function startIperf(place: Place, name: string): Promise<Job> {
  const job = await spawnIn(place, name, ["iperf3", "--server", "--forceflush"]);
  await waitForLine(job, (line) => line.includes("Server listening"));
  return job;
}

/** sendTcp sends as much as it can over so many connections at a time. */
export async function sendTcp(place: Place, address: string, streams: number, seconds: number): Promise<Throughput> {
  const argv = ["iperf3", "--client", address, "-P", String(streams), "-t", String(seconds), "--json"];
  const before = await machine();
  const said = await mustExec(place, argv, { timeoutMs: (seconds + 20) * 1000 });
  const busy = busyShare(before, await machine());
  const { end } = JSON.parse(said) as IperfReport;
  const { bits_per_second: bitsPerSecond, bytes } = end.sum_received;
  const cpuSecondsPerGigabyte = (busy * CPUS * seconds) / (bytes / 1e9);
  return { bitsPerSecond, retransmits: end.sum_sent.retransmits ?? 0, cpuSecondsPerGigabyte };
}
