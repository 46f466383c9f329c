import type { Room } from "#life";
import { watchRoutes } from "#tunnel";
import type { ClusterId, NodeName, Revision } from "#values";
import type { Report } from "#wire";
import { markMember } from "./events.ts";
import type { Gateway } from "./state.ts";

const TICK_MS = 500;
/** Until the zone is whole nobody is told that a name does not exist. */
const FIRST_TICK_MS = 50;
/** Changes that come without a pause must not keep it closed for ever. */
const MOST_FIRST_TICKS = 200;
/** A report goes up every so many ticks. */
const REPORT_TICKS = 10;

/** createTicker looks again at what was held back, opens the zone once it is whole, and tells the broker what the
 *  probes measure. */
export function createTicker(gateway: Gateway): Room {
  const { clock, follower, reconciler, responder, session, verdicts, kubernetes } = gateway;
  return {
    name: "ticker",
    async run(signal) {
      let synced = 0;
      for (let tick = 0; !signal.aborted; tick += 1) {
        await clock.sleep(session.zoneSynced ? TICK_MS : FIRST_TICK_MS, signal).catch(() => {});
        if (follower.synced) synced += 1;
        const settled = reconciler.settled && (kubernetes?.listed ?? true);
        const whole = settled || (synced > MOST_FIRST_TICKS && reconciler.passes > 0);
        if (!session.zoneSynced && follower.synced && whole) {
          session.zoneSynced = true;
          responder.update([{ kind: "synced", synced: true }]);
        }
        reconciler.markHeld();
        for (const cluster of verdicts.released()) markMember(gateway, cluster);
        if (tick % REPORT_TICKS === 0 && session.state === "live") tellBroker(gateway);
      }
    },
  };
}

/** Every few seconds: what the probes measured goes up, and the disk learns how old its state is. */
function tellBroker(gateway: Gateway): void {
  const { client, cache, clock, follower } = gateway;
  client.report(reportOf(gateway));
  cache.setValue("heard", String(clock.now()));
  follower.askAgain();
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
