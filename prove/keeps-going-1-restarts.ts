import { processesIn, type Run, startBroker, startGateway, stopJob } from "#lab";
import { systemClock } from "#life";
import { inRun, median } from "../bench/index.ts";
import type { Line, Proof } from "./line.ts";
import { raiseStage, startTraffic, type Traffic } from "./under-traffic.ts";

const RESTARTS = 100;
/** Every so many restarts of the gateway the broker is killed, too, and stays away until the next such turn's half. */
const BROKER_EVERY = 10;
/** Between a start and the next kill: an outage that never ends could not be told from the next one. */
const SERVE_MS = 1000;
const MOST_DNS_OUTAGE_MS = 2000;
/** keeps1: one daemon after the other is killed under traffic, a hundred times. */
export const keeps1: Line = {
  title: "Restarts",
  required: `${RESTARTS} times kill -9 of a gateway daemon, the broker now and then: 0 packets lost, no reset, its own DNS away ≤ 2 s`,
  run: (say, signal) => inRun((run) => proveRestarts(run, RESTARTS, say), signal),
};

/** proveRestarts kills birch's daemon so many times, and starts it again each time. */
export async function proveRestarts(run: Run, times: number, say: (text: string) => void): Promise<Proof> {
  const stage = await raiseStage(run);
  const { birch } = stage;
  const traffic = await startTraffic(stage);
  const tunnels = await processesIn(birch.place.pid, "wireguard-go");
  const readyMs: number[] = [];
  let [daemon, broker] = [birch, stage.pair.broker];
  for (let i = 1; i <= times; i += 1) {
    if (i % BROKER_EVERY === 0) await stopJob(broker.job, { signal: "SIGKILL" });
    await stopJob(daemon.job, { signal: "SIGKILL" });
    const start = performance.now();
    daemon = await startGateway(stage.pair.birch);
    readyMs.push(performance.now() - start);
    await systemClock.sleep(SERVE_MS);
    if (i % BROKER_EVERY === BROKER_EVERY / 2 && i > BROKER_EVERY) broker = await startBroker(stage.pair.underlay);
    if (i % BROKER_EVERY === 0) say(`${i} of ${times}`);
  }
  const same = (await processesIn(daemon.place.pid, "wireguard-go")).join() === tunnels.join();
  return judge(await traffic.end(), { times, readyMs, same });
}

function judge(
  { sent, lost, transferGoesOn, own, other }: Traffic,
  { times, readyMs, same }: { readonly times: number; readonly readyMs: readonly number[]; readonly same: boolean },
): Proof {
  const longest = Math.max(0, ...own.outages.map(({ ms }) => ms));
  const holds =
    lost === 0 &&
    transferGoesOn &&
    same &&
    other.failed === 0 &&
    own.wrong === 0 &&
    longest <= MOST_DNS_OUTAGE_MS &&
    own.outages.length <= times;
  return {
    measured: `${times} restarts: ${lost} of ${sent} packets lost; own DNS away ≤ ${Math.round(longest)} ms, the other's ${other.failed} failures`,
    holds,
    details: [
      `transfer ${transferGoesOn ? "goes on" : "was cut"}; tunnel processes ${same ? "adopted every time" : "were replaced"}`,
      `ready again after ${Math.round(median(readyMs))} ms at the median, ${Math.round(Math.max(...readyMs))} ms at most`,
      `own DNS: ${own.failed} of ${own.asked} questions without an answer, in ${own.outages.length} outages, ${own.wrong} wrong answers`,
      `other gateway's DNS: ${other.failed} of ${other.asked}`,
    ],
  };
}
