import type { BenchResult } from "#probe";
import { err, ok, type Result } from "#values";
import type { Gateway } from "./state.ts";

/** PeerBench is one row of `meridian bench -o json`. */
export interface PeerBench extends Omit<BenchResult, "id"> {
  readonly peer: string;
  readonly name: string;
}

export interface BenchRequest {
  readonly peers: readonly string[];
  readonly durationMs: number;
  readonly throughput: boolean;
}

/** benchPeers measures the ways to all peers, or to those of some clusters. */
export async function benchPeers(
  { prober }: Gateway,
  { peers, durationMs, throughput }: BenchRequest,
  signal: AbortSignal,
): Promise<Result<readonly PeerBench[]>> {
  const ids = prober.reports().map(({ id }) => id);
  const wanted = ids.filter((id) => peers.length === 0 || peers.includes(id.slice(0, id.indexOf("/"))));
  const missing = peers.find((peer) => !ids.some((id) => id.startsWith(`${peer}/`)));
  if (missing !== undefined) return err(`there is no peer ${missing}: status lists them`);
  if (prober.prober === null || wanted.length === 0) return err("there is no peer to measure: no tunnel is set up yet");
  const measured = await prober.prober.bench({ ids: wanted, durationMs, throughput, signal });
  if (!measured.ok) return measured;
  return ok(
    measured.value.map(({ id, ...rest }) => ({
      peer: id.slice(0, id.indexOf("/")),
      name: id.slice(id.indexOf("/") + 1),
      ...rest,
    })),
  );
}
