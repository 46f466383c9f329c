import { type Job, mustExec, type Place, spawnIn, waitForLine } from "#lab";

/** RoundTrips is what sockperf says of one run, in microseconds. */
export interface RoundTrips {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly samples: number;
}

/** Where a server listens. */
export interface SockperfTarget {
  readonly address: string;
  readonly port: number;
}

/** Octets of a message: as many as a probe of ours has. */
const MESSAGE_BYTES = 72;

/** startSockperf starts a UDP server in a place, on a CPU of its own if one is named. */
export async function startSockperf(
  place: Place,
  name: string,
  { address, port }: SockperfTarget,
  cpu?: number,
): Promise<Job> {
  const argv = ["sockperf", "server", "-i", address, "-p", String(port)];
  const job = await spawnIn(place, name, ["stdbuf", "-oL", ...pinned(cpu), ...argv]);
  await waitForLine(job, (line) => line.includes("Warmup stage") || line.includes("using recvfrom()"));
  return job;
}

/** pingPong sends one message after the other, each when the answer to the last has come, for some seconds. */
export async function pingPong(
  place: Place,
  { address, port }: SockperfTarget,
  seconds: number,
  cpu?: number,
): Promise<RoundTrips> {
  const where = ["-i", address, "-p", String(port), "-m", String(MESSAGE_BYTES)];
  const argv = [...pinned(cpu), "sockperf", "ping-pong", ...where, "-t", String(seconds), "--full-rtt"];
  return parseRoundTrips(await mustExec(place, argv, { timeoutMs: (seconds + 20) * 1000 }));
}

/** parseRoundTrips reads the lines `---> percentile 50.000 =   12.345`. */
export function parseRoundTrips(output: string): RoundTrips {
  const percentile = (q: string): number => Number(new RegExp(`percentile ${q}0*\\s*=\\s*([\\d.]+)`).exec(output)?.[1]);
  const samples = Number(/Total (\d+) observations/.exec(output)?.[1]);
  const trips = { p50Us: percentile("50\\."), p99Us: percentile("99\\.0"), samples };
  if (Number.isNaN(trips.p50Us)) throw new Error(`sockperf measured nothing: ${output.slice(-400)}`);
  return trips;
}

function pinned(cpu: number | undefined): readonly string[] {
  return cpu === undefined ? [] : ["taskset", "-c", String(cpu)];
}
