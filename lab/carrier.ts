import { systemClock } from "#life";
import { mustExec } from "./exec.ts";
import type { Place } from "./place.ts";

const LOOK_MS = 300;
const TUNNEL = /^mrd\d$/;

/** carrierOf finds the tunnel of a place by which the stream to a UDP port leaves just now. */
export async function carrierOf(place: Place, port: number): Promise<string> {
  const tunnels = [...(await sentBy(place)).keys()].filter((name) => TUNNEL.test(name));
  const rules = tunnels.map((name) => `oifname "${name}" udp dport ${port} counter;`).join(" ");
  const table = `carrier-${port}`;
  await mustExec(place, [
    "nft",
    `table inet ${table} { chain out { type filter hook postrouting priority 400; ${rules} }; }`,
  ]);
  await systemClock.sleep(LOOK_MS);
  const text = await mustExec(place, ["nft", "list", "table", "inet", table]);
  await mustExec(place, ["nft", "delete", "table", "inet", table]);
  const counts = [...text.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
  const most = Math.max(...counts);
  const carrier = tunnels[counts.indexOf(most)];
  if (carrier === undefined || most === 0) throw new Error(`no tunnel of ${place.name} carries UDP port ${port}`);
  return carrier;
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
