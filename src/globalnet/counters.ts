import type { CommandFault } from "#life";
import { ok, type Result } from "#values";
import { COUNTERS, type CounterName } from "./base-chains.ts";
import type { Nft } from "./nft.ts";
import { BASE_TABLE } from "./render.ts";

/** Count of packets and bytes since the base table was made: a changed plan starts it again from zero. */
export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** Counters by name: `guard`, `nodeguard` and `swap-out` drop, `no-loop`, `no-entry` and `out-missing` refuse,
 *  `transit-in` and `transit-out` pass on untracked, `carried-in` and `carried-out` are packets of pods in tunnels. */
export type Counters = Readonly<Record<CounterName, Count>>;

/** readCounters reads all counters by one call of nft. */
export async function readCounters(nft: Nft, signal?: AbortSignal): Promise<Result<Counters, CommandFault>> {
  const listed = await nft.list(["-j", "list", "counters", "table", "ip", BASE_TABLE], signal);
  if (!listed.ok) return listed;
  const { nftables } = JSON.parse(listed.value) as { nftables: readonly { counter?: Count & { name: string } }[] };
  const found = new Map(nftables.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter]])));
  const pick = (name: CounterName): Count => {
    const { packets = 0, bytes = 0 } = found.get(name) ?? {};
    return { packets, bytes };
  };
  return ok(Object.fromEntries(COUNTERS.map((name) => [name, pick(name)])) as unknown as Counters);
}
