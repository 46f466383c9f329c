import { systemClock } from "#life";
import { mustExec } from "./exec.ts";
import type { Place } from "./place.ts";

const LOOK_MS = 300;
const TUNNEL = /^mrd\d$/;

/** carrierOf finds the interface of a place that sends most packets just now: the tunnel that carries the flow. */
export async function carrierOf(place: Place): Promise<string> {
  const before = await sentBy(place);
  await systemClock.sleep(LOOK_MS);
  const after = await sentBy(place);
  const names = [...after.keys()].filter((name) => TUNNEL.test(name));
  const grown = (name: string): number => (after.get(name) ?? 0) - (before.get(name) ?? 0);
  const [most] = names.sort((a, b) => grown(b) - grown(a));
  if (most === undefined) throw new Error(`${place.name} has no tunnel`);
  return most;
}

/** busiestOf finds the gateway of several that sends most packets into its tunnels just now. */
export async function busiestOf<P extends Place>(gateways: readonly [P, ...P[]]): Promise<P> {
  const before = await Promise.all(gateways.map(intoTunnels));
  await systemClock.sleep(LOOK_MS);
  const after = await Promise.all(gateways.map(intoTunnels));
  const grown = after.map((count, i) => count - (before[i] ?? 0));
  return gateways[grown.indexOf(Math.max(...grown))] ?? gateways[0];
}

async function intoTunnels(place: Place): Promise<number> {
  return [...(await sentBy(place))].reduce((sum, [name, count]) => sum + (TUNNEL.test(name) ? count : 0), 0);
}

/** Columns of /proc/net/dev after the name: eight of what came, then bytes and packets of what went. */
async function sentBy(place: Place): Promise<ReadonlyMap<string, number>> {
  const text = await mustExec(place, ["cat", "/proc/self/net/dev"]);
  return new Map(
    text.split("\n").flatMap((line) => {
      const [name, columns] = line.split(":");
      return columns === undefined ? [] : [[name?.trim() ?? "", Number(columns.trim().split(/\s+/)[9])] as const];
    }),
  );
}
