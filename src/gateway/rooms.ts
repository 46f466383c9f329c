import type { Room } from "#life";
import { watchRoutes } from "#tunnel";
import type { ClusterId, NodeName, Revision } from "#values";
import type { Report } from "#wire";
import type { Gateway } from "./state.ts";

const TICK_MS = 500;
/** A report goes up every so many ticks. */
const REPORT_TICKS = 10;

/** createTicker looks again at what was held back, opens the zone once it is whole, and tells the broker what the
 *  probes measure. */
export function createTicker(gateway: Gateway): Room {
  const { clock, client, follower, reconciler, responder, session } = gateway;
  return {
    name: "ticker",
    async run(signal) {
      for (let tick = 0; !signal.aborted; tick += 1) {
        await clock.sleep(tick < 20 ? 50 : TICK_MS, signal).catch(() => {});
        reconciler.markHeld();
        if (!session.zoneSynced && follower.synced && reconciler.passes > 0) {
          session.zoneSynced = true;
          responder.update([{ kind: "synced", synced: true }]);
        }
        if (tick % REPORT_TICKS === 0) client.report(reportOf(gateway));
      }
    },
  };
}

function reportOf({ prober, follower }: Gateway): Omit<Report, "t"> {
  const peers = prober.reports().map(({ id, up, rttSeconds, jitterSeconds, lossRatio }) => {
    const slash = id.indexOf("/");
    const way = { cluster: id.slice(0, slash) as ClusterId, gateway: id.slice(slash + 1) as NodeName };
    return { ...way, up, rttSeconds, jitterSeconds, lossRatio };
  });
  return { revision: follower.cursor?.revision ?? (0 as Revision), peers };
}

/** createRouteWatcher has the network looked at again whenever the kernel's links or routes change. */
export function createRouteWatcher({ reconciler, clock }: Gateway): Room {
  return {
    name: "route-watcher",
    async run(signal) {
      for await (const _ of watchRoutes(signal, clock)) reconciler.markNetwork();
    },
  };
}
