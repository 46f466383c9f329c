import { inRun } from "../bench/index.ts";
import { fanOutOf, growthOf } from "./fan-out.ts";
import type { Line } from "./line.ts";
import { LoopbackBroker } from "./loopback-broker.ts";

const LOAD = { members: 100, perSecond: 200, seconds: 600 } as const;
const MOST_P99_MS = 1000;
const MOST_RSS_MIB = 512;
const MOST_RECONNECT_MS = 10_000;
/** Mean of the last quarter over that of the one before: what the collector leaves differs by so much from time to time. */
const FLAT = 0.05;

/** keeps7: a hundred members with real sessions hear each other's changes through one broker, for ten minutes. */
export const keeps7: Line = {
  title: "100 members, 200 changes a second for 10 minutes, one broker",
  required: "0 missed, 0 twice, fan-out p99 <= 1 s, RSS flat and <= 512 MiB; all reconnecting synced in <= 10 s",
  run: (say, signal) =>
    inRun(async (run) => {
      const broker = await LoopbackBroker.open(run.folder);
      try {
        say(`${LOAD.members} members, ${LOAD.perSecond} changes/s, ${LOAD.seconds} s`);
        const seen = await fanOutOf(broker, run.folder, LOAD, signal);
        const peak = Math.max(...seen.rssMiB);
        const growth = growthOf(seen.rssMiB);
        const sound = seen.missed === 0 && seen.twice === 0 && seen.differ === 0 && seen.refused === 0;
        const quick = seen.p99Ms <= MOST_P99_MS && seen.reconnectMs <= MOST_RECONNECT_MS;
        const small = peak <= MOST_RSS_MIB && growth <= FLAT;
        const rss = `RSS ${peak.toFixed(0)} MiB, ${(growth * 100).toFixed(1)} % growth`;
        return {
          measured: `${seen.missed} missed, ${seen.twice} twice, p99 ${seen.p99Ms} ms, ${rss}, back in ${(seen.reconnectMs / 1000).toFixed(1)} s`,
          holds: sound && quick && small,
          details: [
            `${seen.changes} changes, ${seen.deliveries} deliveries, ${seen.refused} refused; p50 ${seen.p50Ms} ms, max ${seen.maxMs} ms`,
            `${seen.bySecond.filter((ms) => ms > MOST_P99_MS).length} of ${seen.bySecond.length} seconds had one above 1 s; the members' process was ${seen.ownDelayMs} ms late at worst`,
            `broker: ${seen.cpuSeconds.toFixed(1)} s of CPU; ${seen.differ} members differed after coming back`,
          ],
        };
      } finally {
        await broker.end("SIGKILL");
      }
    }, signal),
};
